using System.Globalization;
using Trestle.CacheMount;
using Trestle.CacheMount.Directories;
using Trestle.CacheMount.Flush;
using Trestle.CacheMount.Stores;

namespace Trestle.Node;

/// <summary>The arguments of the cachemount commands are wrong.</summary>
internal sealed class CacheMountArgumentException(string message) : Exception(message);

/// <summary>The options of the cachemount commands, by name.</summary>
internal sealed class CacheMountOptions
{
    public const string Store = "--store s3://BUCKET/PREFIX|DIRECTORY [--endpoint URL] [--region NAME] [--path-style true] [--ca FILE]";
    public const string Serve = "--cache DIRECTORY " + Store + " [--socket FILE] [--name NAME] [--run NAME --attempt NUMBER] [--nodes NUMBER --rank NUMBER] [--checkpoints PATTERN,…] [--size BYTES] [--mode MountCached|Mount] [--front Auto|Fuse|Directory] [--at MOUNTPOINT] [--passthrough false] [--fetch true] [--flush-request FILE --flush-answer FILE [--report URL --token-file FILE] [--durable FILE] [--end-request FILE]]";

    private static readonly string[] StoreNames = ["--store", "--endpoint", "--region", "--path-style", "--ca"];
    private static readonly string[] AudienceNames = ["--report", "--token-file", "--flush-request", "--flush-answer", "--durable", "--end-request"];
    private static readonly string[] ServeNames = [.. StoreNames, "--cache", "--socket", "--name", "--run", "--attempt", "--nodes", "--rank", "--checkpoints", "--size", "--part-size", "--hold-temporary", "--rescan", "--mode", "--front", "--at", "--passthrough", "--list-every", "--fetch", .. AudienceNames];
    private const double SmallCache = 4L << 30;
    private readonly Dictionary<string, string> _given = new(StringComparer.Ordinal);

    private CacheMountOptions(IReadOnlyList<string> arguments, IReadOnlyCollection<string> known)
    {
        for (var at = 0; at < arguments.Count; at += 2)
        {
            if (!known.Contains(arguments[at])) throw new CacheMountArgumentException($"unknown option {arguments[at]}");
            if (at + 1 == arguments.Count || arguments[at + 1].Length == 0) throw new CacheMountArgumentException($"{arguments[at]} needs a value");
            if (!_given.TryAdd(arguments[at], arguments[at + 1])) throw new CacheMountArgumentException($"{arguments[at]} is given twice");
        }
    }

    /// <summary>Reads the options of a command that needs a mount's cache and store.</summary>
    public static CacheMountOptions ForServe(IReadOnlyList<string> arguments) => new(arguments, ServeNames);

    /// <summary>Reads the options of a command that needs a store and some more.</summary>
    public static CacheMountOptions ForStore(IReadOnlyList<string> arguments, params string[] more) => new(arguments, [.. StoreNames, .. more]);

    /// <summary>Reads exactly these options.</summary>
    public static CacheMountOptions Of(IReadOnlyList<string> arguments, params string[] names) => new(arguments, names);

    /// <summary>A value; null when not given.</summary>
    public string? this[string name] => _given.GetValueOrDefault(name);

    /// <summary>A value that must be given.</summary>
    public string Required(string name) => this[name] ?? throw new CacheMountArgumentException($"{name} is missing");

    /// <summary>A directory or file that must be named from the root.</summary>
    public string Absolute(string name) => Required(name) is var path && Path.IsPathFullyQualified(path) ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)) : throw new CacheMountArgumentException($"{name} must be an absolute path");

    /// <summary>A number that is not negative.</summary>
    public double Number(string name, double otherwise) => this[name] is not { } text ? otherwise
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value is >= 0 and < 1e18 ? value : throw new CacheMountArgumentException($"{name} must be a number, not '{text}'");

    /// <summary>One of some words.</summary>
    public T Choice<T>(string name, T otherwise)
        where T : struct, Enum => this[name] is not { } word ? otherwise
        : Enum.TryParse<T>(word, out var value) && Enum.IsDefined(value) ? value : throw new CacheMountArgumentException($"{name} must be one of {string.Join(", ", Enum.GetNames<T>())}, not '{word}'");

    /// <summary>The mount as it is to be served.</summary>
    public MountSettings Settings()
    {
        var settings = new MountSettings(Absolute("--cache")) { Size = (long)Number("--size", Choice("--mode", MountMode.MountCached) == MountMode.Mount ? SmallCache : 0), Attempt = (int)Math.Min(int.MaxValue, Number("--attempt", 0)), Nodes = (int)Math.Clamp(Number("--nodes", 1), 1, 1e6) };
        if (this["--run"] is { } run) settings = settings with { Run = NameRules.Refusal(run) is null && !run.Contains('/', StringComparison.Ordinal) ? run : throw new CacheMountArgumentException($"--run must be a name without slashes, not '{run}'") };
        if (settings.Nodes > 1 && (settings.Run.Length == 0 || this["--rank"] is null)) throw new CacheMountArgumentException("--nodes needs --run and --rank, so that the nodes know each other");
        settings = settings with { Rank = Number("--rank", 0) is var rank && rank < settings.Nodes && rank == Math.Floor(rank) ? (int)rank : throw new CacheMountArgumentException("--rank must be a whole number below --nodes") };
        if (this["--name"] is { } name) settings = settings with { Writer = name };
        if (this["--checkpoints"] is { } patterns) settings = settings with { Checkpoints = patterns.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) };
        return settings with
        {
            Mode = Choice("--mode", MountMode.MountCached),
            FrontKind = Choice("--front", FrontKind.Directory),
            MountAt = this["--at"] is null ? null : Absolute("--at"),
            AllowsPassthrough = this["--passthrough"] != "false",
            ListEvery = TimeSpan.FromSeconds(Math.Clamp(Number("--list-every", 10), 0.1, 1e6)),
            Flush = new FlushSettings { SmallestPart = (long)Math.Max(5 << 20, Number("--part-size", PartPlan.SmallestPart)) },
            Front = new FrontSettings
            {
                HoldTemporary = TimeSpan.FromSeconds(Math.Min(1e6, Number("--hold-temporary", 60))),
                RescanEvery = TimeSpan.FromSeconds(Math.Min(1e6, Number("--rescan", 60))),
            },
        };
    }

    /// <summary>Whom the mount tells of itself; null for nobody.</summary>
    public MountAudience? Audience()
    {
        if (!AudienceNames.Any(_given.ContainsKey)) return null;
        return new MountAudience(Absolute("--flush-request"), Absolute("--flush-answer"))
        {
            Operator = this["--report"] is not { } report ? null : (Options.Url(report) ?? throw new CacheMountArgumentException($"--report must be an http address, not '{report}'"), Absolute("--token-file")),
            Durable = this["--durable"] is null ? null : Absolute("--durable"),
            EndRequest = this["--end-request"] is null ? null : Absolute("--end-request"),
        };
    }

    /// <summary>Where the objects go. Credentials are never among the arguments.</summary>
    public IObjectStore OpenStore(TimeProvider time)
    {
        var text = Required("--store");
        if (!text.StartsWith("s3://", StringComparison.Ordinal))
        {
            Directory.CreateDirectory(Absolute("--store"));
            return new DirectoryStore(Absolute("--store"));
        }

        var (bucket, prefix) = text["s3://".Length..].Split('/', 2) is [var name, var rest] ? (name, rest) : (text["s3://".Length..], "");
        if (bucket.Length < 3) throw new CacheMountArgumentException($"--store must be s3://BUCKET/PREFIX with a bucket of three letters or more, not '{text}'");
        if (prefix.Length > 0 && !prefix.EndsWith('/')) prefix += "/";
        var endpoint = this["--endpoint"] is not { } address ? null : Options.Url(address) ?? throw new CacheMountArgumentException($"--endpoint must be an http address, not '{address}'");
        return new S3Store(new S3Options(bucket, prefix) { Endpoint = endpoint, Region = this["--region"] ?? "us-east-1", PathStyle = this["--path-style"] == "true", CertificateFile = this["--ca"] }, time);
    }
}
