using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.Launch;

/// <summary>The files of /trestle/scripts.</summary>
public static class Scripts
{
    /// <summary>Starts the other two; PID 1 of the main container.</summary>
    public const string Launch = "launch.sh";

    /// <summary>spec.setup.</summary>
    public const string Setup = "setup.sh";

    /// <summary>spec.run.</summary>
    public const string Run = "run.sh";

    private static readonly Lazy<string> LaunchText = new(ReadLaunch);

    /// <summary>File name → text; no setup.sh without spec.setup.</summary>
    public static Dictionary<string, string> Of(TrainingJobSpec spec)
    {
        var files = new Dictionary<string, string>(StringComparer.Ordinal) { [Launch] = LaunchText.Value, [Run] = spec.Run };
        if (!string.IsNullOrWhiteSpace(spec.Setup)) files[Setup] = spec.Setup;
        return files;
    }

    private static string ReadLaunch()
    {
        using var stream = typeof(Scripts).Assembly.GetManifestResourceStream(Launch)
            ?? throw new InvalidOperationException($"{Launch} is missing in {typeof(Scripts).Assembly.GetName().Name}");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
