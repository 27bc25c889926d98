namespace Trestle.Runtime;

/// <summary>A program was told something it can't use; the message names the setting and what to write instead.</summary>
public sealed class SettingException(string message) : Exception(message);
