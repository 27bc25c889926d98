namespace Trestle.Local.Plane;

/// <summary>The plane can't do what was asked; the message is one sentence that says what to change.</summary>
public sealed class PlaneException(string message) : Exception(message);
