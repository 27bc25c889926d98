using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Output;

namespace Trestle.Cli.Jobs;

/// <summary>What runs and what waits: groups with their tasks and launched jobs below them, then services by themselves.</summary>
internal static class QueueTable
{
    private static readonly string[] Headers = ["NAME", "USER", "QUEUE", "BACKEND", "GPUS", "STATUS", "TIME", "RESTARTS", "REASON"];

    public static TextTable Build(JobSet jobs, DateTime now, bool allNamespaces)
    {
        var rows = new List<string[]>();
        foreach (var group in jobs.Groups)
        {
            var members = jobs.MembersOf(group);
            if (group.HasEnded() && members.All(JobFacts.HasEnded))
            {
                continue;
            }

            rows.Add(Row(group, members, now, allNamespaces));
            rows.AddRange(members.Where(member => !member.HasEnded() || IsTask(member, group)).Select(member => Row(member, now, allNamespaces, indent: "  ")));
            rows.AddRange(ServiceTask.Of(group).Where(_ => !group.HasEnded()).Select(service => Row(group, service, allNamespaces)));
        }

        rows.AddRange(jobs.Loose.Where(job => !job.HasEnded()).Select(job => Row(job, now, allNamespaces, indent: "")));
        rows.AddRange(jobs.Services.Select(service => Row(service, now, allNamespaces)));
        TableColumn[] columns = [.. Headers.Select(header => new TableColumn(header))];
        return new TextTable(allNamespaces ? [new TableColumn("NAMESPACE"), .. columns] : columns, rows);
    }

    // A task that has ended belongs to the picture of its group; launched jobs that have ended are history.
    private static bool IsTask(TrainingJob job, JobGroup group) =>
        !group.HasEnded() && group.Spec.Tasks.Any(task => job.Metadata.Name == $"{group.Metadata.Name}-{task.Name}");

    private static string[] Row(TrainingJob job, DateTime now, bool allNamespaces, string indent) => With(allNamespaces, job.Metadata,
    [
        indent + job.Metadata.Name,
        JobFacts.User(job.Metadata),
        job.Spec.Scheduling?.Queue ?? "-",
        job.Backend(),
        job.Gpus() is > 0 and var gpus ? gpus.ToString() : "-",
        job.Phase(),
        Ages.Short(Held(job, now)),
        job.RestartCount().ToString(),
        job.Why(),
    ]);

    private static string[] Row(JobGroup group, ServiceTask service, bool allNamespaces) => With(allNamespaces, group.Metadata,
        ["  " + service.Name, "-", "-", "kubernetes", service.Gpus > 0 ? service.Gpus.ToString() : "-", service.Status, "-", "-", service.Why]);

    private static string[] Row(InferenceService service, DateTime now, bool allNamespaces) => With(allNamespaces, service.Metadata,
    [
        service.Metadata.Name,
        JobFacts.User(service.Metadata),
        "-",
        "kubernetes",
        service.Gpus() is > 0 and var gpus ? gpus.ToString() : "-",
        service.Phase(),
        Ages.Short(now - (service.Metadata.CreationTimestamp ?? now)),
        "-",
        service.Status?.Message ?? "",
    ]);

    private static string[] Row(JobGroup group, IReadOnlyList<TrainingJob> members, DateTime now, bool allNamespaces) => With(allNamespaces, group.Metadata,
    [
        group.Metadata.Name,
        JobFacts.User(group.Metadata),
        "-",
        string.Join('+', members.Select(member => member.Backend()).Distinct().DefaultIfEmpty("-")),
        members.Where(member => !member.HasEnded()).Sum(member => member.Gpus()) + ServiceTask.Of(group).Where(service => !group.HasEnded() && !service.HasEnded).Sum(service => service.Gpus) is > 0 and var gpus ? gpus.ToString() : "-",
        group.Phase(),
        Ages.Short(now - (group.Metadata.CreationTimestamp ?? now)),
        members.Sum(member => member.RestartCount()).ToString(),
        group.Why(),
    ]);

    // Running time once it runs, waiting time until then.
    private static TimeSpan Held(TrainingJob job, DateTime now)
    {
        var timeline = job.Status?.Timeline;
        var from = timeline?.StartedAt ?? timeline?.QueuedAt ?? job.Metadata.CreationTimestamp ?? now;
        return (timeline?.FinishedAt ?? now) - from;
    }

    private static string[] With(bool allNamespaces, V1ObjectMeta metadata, string[] cells) =>
        allNamespaces ? [metadata.NamespaceProperty, .. cells] : cells;
}
