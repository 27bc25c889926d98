using Trestle.Api.V1Alpha1;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Telemetry;

/// <summary>The caches that gauges are counted from.</summary>
internal sealed record WatchedCaches(IObjectCache<TrainingJob> Jobs, IObjectCache<PodView> Pods, IObjectCache<NodeView> Nodes)
{
    /// <summary>Done when they hold all there is.</summary>
    public Task Filled { get; init; } = Task.CompletedTask;
}
