using Cairn.Base;

namespace Cairn.Node;

/// <summary>Who a node is: its name, its key, and what it has signed.</summary>
/// <param name="Name">As registered.</param>
/// <param name="Key">Signs.</param>
/// <param name="Folder">Its own folder.</param>
/// <param name="Outbox">What it has signed.</param>
internal sealed record NodeIdentity(string Name, NodeKey Key, string Folder, Outbox Outbox);
