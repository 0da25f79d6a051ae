namespace Cairn.Node;

/// <summary>Wakes everybody in this process who follows the ledger, as soon as somebody in it has appended; and with a <see cref="LedgerWatch"/>
/// as soon as somebody else has.</summary>
internal sealed class LedgerBell
{
    /// <summary>Raised after an append.</summary>
    public event Action? Rang;

    /// <summary>Wakes all.</summary>
    public void Ring() => Rang?.Invoke();
}
