namespace Trestle.Local.Plane;

/// <summary>A part's tie to its supervisor: the pipe on its standard input ends when the supervisor does, however it ended.</summary>
internal static class Lifeline
{
    /// <summary>Set in the environment of a supervised part.</summary>
    public const string Variable = "TRESTLE_SUPERVISED";

    /// <summary>Calls back once the supervisor is gone; never when this process has none.</summary>
    public static void Watch(Action gone)
    {
        if (Environment.GetEnvironmentVariable(Variable) != "1") return;
        var thread = new Thread(() =>
        {
            try
            {
                using var input = Console.OpenStandardInput();
                var buffer = new byte[16];
                while (input.Read(buffer) > 0) { }
            }
            catch (IOException)
            {
                // The same: nobody holds the other end.
            }

            gone();
        })
        { IsBackground = true, Name = "lifeline" };
        thread.Start();
    }
}
