namespace Trestle.Integration.Tests.CacheMount;

/// <summary>
/// Tests that write files themselves and hold the store to the order of their closes. While other tests start processes, a file may be
/// closed later than it seems: whoever is being started has, for a moment, everything open that is open here.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class WritesInThisProcess
{
    public const string Name = "writes in this process";
}
