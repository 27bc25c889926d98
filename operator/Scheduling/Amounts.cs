using System.Globalization;
using Trestle.Api.Launch;

namespace Trestle.Operator.Scheduling;

/// <summary>Amounts of resources in words and as quantities.</summary>
internal static class Amounts
{
    private const long Gi = 1L << 30;
    private const long Mi = 1L << 20;

    /// <summary>What people look at first comes first.</summary>
    public static int Rank(string resource) => resource switch { Names.GpuResource => 0, PodRequests.Cpu => 2, PodRequests.Memory => 3, PodRequests.Pods => 4, _ => 1 };

    /// <summary>E.g. "8 GPUs", or "8 H100" when the accelerator is known.</summary>
    public static string InWords(string resource, long amount, string? accelerator = null) => resource switch
    {
        PodRequests.Memory => $"{Number(resource, amount)} of memory",
        Names.GpuResource when accelerator is not null => $"{Whole(amount)} {accelerator}",
        _ => $"{Number(resource, amount)} {Noun(resource, amount)}",
    };

    /// <summary>E.g. "GPUs".</summary>
    public static string Noun(string resource, long amount) => resource switch
    {
        Names.GpuResource => amount == 1 ? "GPU" : "GPUs",
        PodRequests.Cpu => amount == 1000 ? "CPU" : "CPUs",
        PodRequests.Memory => "memory",
        PodRequests.Pods => amount == 1 ? "pod" : "pods",
        _ => resource,
    };

    /// <summary>E.g. "1.5" for 1500 thousandths of a CPU, "8Gi" of memory.</summary>
    public static string Number(string resource, long amount) => resource switch
    {
        PodRequests.Cpu => (amount / 1000m).ToString("0.###", CultureInfo.InvariantCulture),
        PodRequests.Memory when amount >= Gi => $"{(amount / (decimal)Gi).ToString("0.#", CultureInfo.InvariantCulture)}Gi",
        PodRequests.Memory => $"{(amount / (decimal)Mi).ToString("0.#", CultureInfo.InvariantCulture)}Mi",
        _ => Whole(amount),
    };

    /// <summary>As a quantity of Kubernetes, exact.</summary>
    public static string ToQuantity(string resource, long amount) =>
        resource == PodRequests.Cpu && amount % 1000 != 0 ? Whole(amount) + "m"
        : resource == PodRequests.Cpu ? Whole(amount / 1000)
        : resource == PodRequests.Memory && amount > 0 && amount % Gi == 0 ? Whole(amount / Gi) + "Gi"
        : resource == PodRequests.Memory && amount > 0 && amount % Mi == 0 ? Whole(amount / Mi) + "Mi"
        : Whole(amount);

    /// <summary>A time in words, cut to steps, so that a sentence with it does not change all the time: "40 min", "3 h".</summary>
    public static string Over(TimeSpan time) =>
        time < TimeSpan.FromMinutes(1) ? $"{Whole((long)time.TotalSeconds)} s"
        : time < TimeSpan.FromMinutes(10) ? $"{Whole((long)time.TotalMinutes)} min"
        : time < TimeSpan.FromHours(1) ? $"{Whole((long)time.TotalMinutes / 10 * 10)} min"
        : time < TimeSpan.FromDays(2) ? $"{Whole((long)time.TotalHours)} h"
        : $"{Whole((long)time.TotalDays)} d";

    public static string Whole(long number) => number.ToString(CultureInfo.InvariantCulture);
}
