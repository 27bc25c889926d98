namespace Trestle.Local.Nodes.Containers;

/// <summary>A container can't be made from what its pod says; the message says what to change.</summary>
public sealed class ContainerConfigException(string message) : Exception(message);
