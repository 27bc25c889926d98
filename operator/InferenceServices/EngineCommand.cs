using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using static Trestle.Operator.InferenceServices.InferenceFacts;

namespace Trestle.Operator.InferenceServices;

/// <summary>The command line of an engine: that of <c>vllm serve</c>, whatever the program is called. Pure.</summary>
internal static class EngineCommand
{
    private const string NcclTransfer = """{"backend":"nccl"}""";

    /// <summary>What is run.</summary>
    public static List<string> Program(InferenceService service) => service.Spec.Engine?.Command is { Count: > 0 } command ? command : ["vllm", "serve"];

    /// <summary>What it is told: the model, what follows from the spec, and the user's own arguments last.</summary>
    /// <param name="service">The service.</param>
    /// <param name="replica">Ordinal of the replica.</param>
    /// <param name="node">Node of the replica, 0 the leader.</param>
    /// <param name="host">Address that the leader listens on.</param>
    public static List<string> Arguments(InferenceService service, int replica, int node, string host)
    {
        var arguments = new List<string> { service.ModelArgument };
        Add("--served-model-name", service.ServedName);
        if (node == 0)
        {
            Add("--host", host);
            Add("--port", Text(ServicePorts.Engine));
        }

        AddModel();
        AddParallelism();
        if (service.UsesNccl) Add("--weight-transfer-config", NcclTransfer);
        Add("--shutdown-timeout", Text((long)Math.Ceiling(service.Drain.TotalSeconds)));
        arguments.AddRange(service.Spec.Engine?.Args ?? []);
        return arguments;

        void AddModel()
        {
            var model = service.Spec.Model;
            Add("--revision", model.Revision is { Length: > 0 } revision ? revision : null);
            Add("--load-format", model.LoadFormat ?? (model.Uri.StartsWith("s3://", StringComparison.Ordinal) ? "runai_streamer" : null));
            Add("--max-model-len", model.MaxModelLen is { } length ? Text(length) : null);
            Add("--dtype", model.Dtype);
            Add("--gpu-memory-utilization", model.GpuMemoryUtilization);
        }

        void AddParallelism()
        {
            var spread = service.Spec.Parallelism;
            Add("--tensor-parallel-size", spread?.Tensor is { } tensor ? Text(tensor) : null);
            Add("--pipeline-parallel-size", spread?.Pipeline is { } pipeline ? Text(pipeline) : null);
            Add("--data-parallel-size", spread?.Data is { } data ? Text(data) : null);
            if (spread?.Expert == true) arguments.Add("--enable-expert-parallel");
            if (service.NodesPerReplica == 1) return;
            Add("--nnodes", Text(service.NodesPerReplica));
            Add("--node-rank", Text(node));
            Add("--master-addr", $"{Names.ReplicaPod(service.Metadata.Name, replica, 0)}.{Names.NodesService(service.Metadata.Name)}");
            Add("--master-port", Text(ServicePorts.Rendezvous));
            if (node > 0) arguments.Add("--headless");
        }

        void Add(string flag, string? value)
        {
            if (value is not null) arguments.AddRange([flag, value]);
        }
    }
}
