using Trestle.Api.V1Alpha1;
using Trestle.Api.Yaml;

namespace Trestle.Api.Manifests.SkyPilot;

/// <summary>job_recovery → recovery.</summary>
internal static class SkyRecovery
{
    /// <summary>A strategy alone, or a map. Infrastructure failures always recover, so strategies mean nothing.</summary>
    public static void Read(YamlEntry entry, Notes notes, TrainingJobSpec spec)
    {
        if (entry.Value is YamlScalar)
        {
            Strategy(entry, notes);
            return;
        }

        if (notes.Map(entry) is not { } map)
        {
            return;
        }

        var recovery = spec.Recovery ??= new Recovery();
        new KeyTable("job_recovery", notes)
        {
            ["strategy"] = strategy => Strategy(strategy, notes),
            ["max_restarts_on_errors"] = restarts =>
            {
                recovery.MaxRestarts = notes.Whole(restarts, 0, 10000);
                notes.Mapped(restarts.Line, "max_restarts_on_errors → recovery.maxRestarts");
            },
            ["recover_on_exit_codes"] = codes =>
            {
                recovery.RecoverOnExitCodes = [.. Codes(codes, notes)];
                notes.Mapped(codes.Line, "recover_on_exit_codes → recovery.recoverOnExitCodes");
            },
        }.Read(map);
    }

    private static void Strategy(YamlEntry entry, Notes notes) =>
        notes.NeedsYou(entry.Line, $"{entry.Key}: {Notes.Shown(entry.Value)} means nothing here: a job whose node is lost starts again as soon as nodes are free");

    private static IEnumerable<int> Codes(YamlEntry entry, Notes notes) =>
        (entry.Value is YamlList list ? list.Items : [entry.Value])
        .Select(code => notes.Whole(new YamlEntry(entry.Key, code.Line, code), 1, 255))
        .OfType<int>();
}
