using System.Globalization;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Runtime;

namespace Trestle.Operator.InferenceServices;

/// <summary>What the operator asks of a service.</summary>
public static class InferenceFacts
{
    private const string HubScheme = "hf://";

    extension(InferenceService service)
    {
        /// <summary>Pods of one replica.</summary>
        public int NodesPerReplica => service.Spec.Parallelism?.Nodes ?? 1;

        /// <summary>Replicas that it begins with.</summary>
        public int FirstReplicas => service.Spec.Autoscaling is { } scaling ? Autoscaler.Within(scaling, service.Spec.Replicas ?? scaling.Min ?? 1) : service.Spec.Replicas ?? 1;

        /// <summary>Name that clients ask for.</summary>
        public string ServedName => service.Spec.Model.ServedName ?? service.Spec.Model.Uri.TrimEnd('/').Split('/')[^1];

        /// <summary>The model as the engine takes it.</summary>
        public string ModelArgument => service.Spec.Model.Uri.StartsWith(HubScheme, StringComparison.Ordinal) ? service.Spec.Model.Uri[HubScheme.Length..] : service.Spec.Model.Uri;

        /// <summary>Newer weights come while it runs.</summary>
        public bool TakesWeights => service.Spec.Weights?.Source?.Type is WeightsSourceType.Trainer or WeightsSourceType.Storage;

        /// <summary>A trainer is part of the same transfer group as the engines.</summary>
        public bool UsesNccl => service.Spec.Weights?.Source is { Type: WeightsSourceType.Trainer, Transport: null or WeightsTransport.Nccl };

        /// <summary>Out of rotation, before TERM.</summary>
        public TimeSpan PreStop => Duration.ParseOr(service.Spec.Termination?.PreStop, TimeSpan.FromSeconds(15));

        /// <summary>After TERM, for running requests.</summary>
        public TimeSpan Drain => Duration.ParseOr(service.Spec.Termination?.Drain, TimeSpan.FromSeconds(45));

        /// <summary>Memory that its gateway may use.</summary>
        public string GatewayMemory => service.Spec.Router?.Memory ?? "1Gi";

        /// <summary>Where clients ask.</summary>
        public string Url => Address(service, service.Metadata.Name, ServicePorts.Public);

        /// <summary>Where a trainer sends weights; null when none does.</summary>
        public string? WeightsUrl => service.Spec.Weights?.Source?.Type == WeightsSourceType.Trainer ? Address(service, Names.WeightsService(service.Metadata.Name), ServicePorts.Weights) : null;

        /// <summary>Label selector of the leaders of its replicas, as text.</summary>
        public string Selector => $"{Labels.Service}={service.Metadata.Name},{Labels.Component}={Labels.ReplicaComponent},{Labels.Rank}=0";

        /// <summary>The group it is a task of; null for a service by itself.</summary>
        public string? TaskGroup => service.ControllerOwner() is { Kind: JobGroup.KubeKind } owner ? owner.Name : null;
    }

    /// <summary>A number for a command line or a label.</summary>
    internal static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    // With the port, so that the same address is right where nothing maps the ports of Services.
    private static string Address(InferenceService service, string name, int port) => $"http://{name}.{service.Metadata.NamespaceProperty}.svc:{Text(port)}";
}
