namespace Trestle.Operator.Hosting;

/// <summary>The program was told something it can't use; the message names the setting and what to write instead.</summary>
internal sealed class SettingException(string message) : Exception(message);
