namespace Trestle.Cli;

/// <summary>What a command's exit code says; scripts rely on these.</summary>
internal static class ExitCode
{
    public const int Ok = 0;
    public const int Error = 1;
    public const int Usage = 2;
    public const int NotFound = 3;
    public const int Forbidden = 4;
    public const int Interrupted = 130;
}
