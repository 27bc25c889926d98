namespace Trestle.Bridge.Login;

/// <summary>Contact to a login node was lost or never made. Says nothing about jobs.</summary>
public sealed class ContactLostException(string message, Exception? inner = null) : Exception(message, inner);
