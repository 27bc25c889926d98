using Trestle.Api.V1Alpha1;
using Trestle.Operator.Views;

namespace Trestle.Cli.Planning;

/// <summary>What the cluster holds when a launch is planned.</summary>
/// <param name="Jobs">All jobs.</param>
/// <param name="Groups">All groups.</param>
/// <param name="Queues">All queues.</param>
/// <param name="Nodes">All nodes.</param>
/// <param name="Pods">All pods.</param>
/// <param name="Storages">Storages of the namespaces that the launch is about.</param>
/// <param name="ObjectRoot">Where storages of this machine live; null on a real cluster.</param>
internal sealed record PlanScene(
    IReadOnlyList<TrainingJob> Jobs, IReadOnlyList<JobGroup> Groups, IReadOnlyList<Queue> Queues, IReadOnlyList<NodeView> Nodes, IReadOnlyList<PodView> Pods, IReadOnlyList<Storage> Storages, string? ObjectRoot);
