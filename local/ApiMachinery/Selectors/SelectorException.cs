namespace Trestle.Local.ApiMachinery;

/// <summary>A selector that cannot be read; answer 400 with this message.</summary>
public sealed class SelectorException(string message) : Exception(message);
