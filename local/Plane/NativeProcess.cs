using System.Runtime.InteropServices;

namespace Trestle.Local.Plane;

/// <summary>Signals to other processes.</summary>
internal static partial class NativeProcess
{
    public static void Terminate(int pid) => _ = Send(pid, 15);

    public static void Kill(int pid) => _ = Send(pid, 9);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Send(int pid, int signal);
}
