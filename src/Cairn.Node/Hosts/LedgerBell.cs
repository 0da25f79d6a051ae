namespace Cairn.Node;

/// <summary>Wakes everybody in this process who follows the ledger, as soon as somebody in it has appended. Other processes notice by polling.</summary>
internal sealed class LedgerBell
{
    /// <summary>Raised after an append.</summary>
    public event Action? Rang;

    /// <summary>Wakes all.</summary>
    public void Ring() => Rang?.Invoke();
}
