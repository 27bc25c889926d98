using Trestle.Api.V1Alpha1;
using Trestle.Cli.Connection;

namespace Trestle.Cli.Launching;

/// <summary>
/// Creates all of a plan or nothing: everything is tried as a dry run first, and what was created is deleted again when
/// a later object fails.
/// </summary>
internal sealed class LaunchExecutor(Cluster cluster, CliHost host)
{
    public async Task ValidateAsync(LaunchPlan plan, CancellationToken cancellation)
    {
        foreach (var operation in plan.Operations)
        {
            await CreateAsync(operation, dryRun: true, cancellation);
        }
    }

    public async Task RunAsync(LaunchPlan plan, CancellationToken cancellation)
    {
        await ValidateAsync(plan, cancellation);
        var created = new List<LaunchOperation>();
        try
        {
            foreach (var operation in plan.Operations)
            {
                if (await CreateAsync(operation, dryRun: false, cancellation) is { } uid)
                {
                    operation.Object.Metadata.Uid = uid;
                    created.Add(operation);
                }
            }
        }
        catch (Exception error)
        {
            throw await UndoAsync(created, error);
        }

        await AdoptAsync(created, cancellation);
    }

    /// <summary>The uid, or null when the object was there already and may stay as it is.</summary>
    private async Task<string?> CreateAsync(LaunchOperation operation, bool dryRun, CancellationToken cancellation)
    {
        try
        {
            return await cluster.CreateAsync(operation.Object, dryRun, cancellation);
        }
        catch (CliException error) when (error.InnerException is ApiException { Reason: "AlreadyExists" })
        {
            return operation.OnlyIfMissing ? null : throw AlreadyExists(operation);
        }
    }

    private static CliException AlreadyExists(LaunchOperation operation)
    {
        var meta = operation.Object.Metadata;
        var kind = operation.Object.Kind;
        return new CliException(operation.IsLaunched
            ? $"{kind} {meta.Name} already exists in namespace {meta.NamespaceProperty}; {(operation.Object is InferenceService ? "change it with kubectl apply, " : "")}give this one another name with --name, or remove the old one with: trestle cancel {meta.Name} --delete"
            : $"{kind} {meta.Name} already exists in namespace {meta.NamespaceProperty}; rename it in the file, or delete it with: kubectl delete {kind.ToLowerInvariant()} {meta.Name}");
    }

    // Not cancellable: half a launch is worse than a late Ctrl-C.
    private async Task<Exception> UndoAsync(List<LaunchOperation> created, Exception error)
    {
        var left = new List<string>();
        foreach (var operation in Enumerable.Reverse(created))
        {
            try
            {
                await cluster.DeleteAsync(operation.Object, CancellationToken.None);
            }
            catch (CliException problem) when (problem.ExitCode != ExitCode.NotFound)
            {
                left.Add($"{operation.Object.Kind} {operation.Name}");
            }
            catch (CliException)
            {
                // Gone already.
            }
        }

        if (created.Count == 0 || error is OperationCanceledException)
        {
            return error;
        }

        var answer = ErrorTranslation.Translate(error, cluster.Server);
        var state = left.Count == 0 ? "nothing was created" : $"these could not be removed again: {string.Join(", ", left)}";
        return new CliException($"{answer.Message}; {state}", answer.ExitCode, error);
    }

    // What was made for one job goes when the job goes.
    private async Task AdoptAsync(List<LaunchOperation> created, CancellationToken cancellation)
    {
        foreach (var operation in created.Where(operation => operation.OwnedBy is not null))
        {
            var owner = created.First(other => other.IsLaunched && other.Name == operation.OwnedBy).Object;
            try
            {
                await cluster.SetOwnerAsync(operation.Object, owner, cancellation);
            }
            catch (CliException error)
            {
                await host.Error.WriteLineAsync($"trestle: {operation.Object.Kind} {operation.Name} stays when {operation.OwnedBy} is deleted: {error.Message}");
            }
        }
    }
}
