using Trestle.Api.V1Alpha1;
using Trestle.Cli.Connection;
using Trestle.Cli.Jobs;
using Trestle.Cli.Output;
using Trestle.Operator.InferenceServices;

namespace Trestle.Cli.Launching;

/// <summary>What a launch tells: the name, and what to type next.</summary>
internal static class LaunchReport
{
    public static void Write(CliHost host, LaunchPlan plan, OutputFormat format, Cluster cluster, bool dryRun)
    {
        foreach (var operation in format is OutputFormat.Table or OutputFormat.Wide ? plan.Launched : plan.Operations)
        {
            if (format is not (OutputFormat.Table or OutputFormat.Wide))
            {
                Listing.WriteOne(host, format, ListedJobs.Of(operation.Object));
                continue;
            }

            var name = operation.Name;
            var label = FoundJob.Of(operation.Object).Label;
            if (dryRun)
            {
                host.Out.WriteLine($"{label} can be launched in namespace {operation.Object.Metadata.NamespaceProperty} (dry run, nothing was created)");
                continue;
            }

            var hint = cluster.NamespaceHintFor(operation.Object.Metadata.NamespaceProperty);
            host.Out.WriteLine($"{label} launched in namespace {operation.Object.Metadata.NamespaceProperty}");
            if (operation.Object is InferenceService service) host.Out.WriteLine($"  url:     {service.Url}");
            host.Out.WriteLine($"  logs:    trestle logs {name} -f{hint}");
            host.Out.WriteLine($"  status:  trestle describe {name}{hint}");
            host.Out.WriteLine($"  cancel:  trestle cancel {name}{hint}");
        }
    }

    public static void WriteNames(CliHost host, LaunchPlan plan)
    {
        foreach (var operation in plan.Launched)
        {
            host.Out.WriteLine(operation.Name);
        }
    }
}
