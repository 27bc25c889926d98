using Trestle.Api.V1Alpha1;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling.Modes;

/// <summary>All ways of admission that this operator knows, and which of them a job takes.</summary>
public sealed class AdmissionModes
{
    private readonly Dictionary<SchedulingMode, IAdmissionMode> _modes;
    private readonly Func<ObjectKey, bool> _isLocalQueue;

    /// <param name="modes">One of each; the operator's own is always there.</param>
    /// <param name="isLocalQueue">Whether Kueue has a LocalQueue of that namespace and name.</param>
    internal AdmissionModes(IEnumerable<IAdmissionMode> modes, Func<ObjectKey, bool> isLocalQueue)
    {
        _modes = modes.Append(new OperatorMode()).ToDictionary(mode => mode.Mode);
        _isLocalQueue = isLocalQueue;
    }

    /// <summary>The operator's own alone.</summary>
    public static AdmissionModes None { get; } = new([], _ => false);

    /// <summary>Who admits a job: who did before, else whom it asks for, else Kueue when its queue is a LocalQueue.</summary>
    public ModeChoice Choose(TrainingJob job)
    {
        var mode = job.Status?.SchedulingMode ?? Resolve(job);
        if (!_modes.TryGetValue(mode, out var chosen)) return new ModeChoice(mode, $"scheduling.mode {mode} is not known to this operator; use Auto or Operator", []);
        return new ModeChoice(mode, chosen.Missing ?? chosen.WhyRefused(job.Spec), [.. chosen.Ignored(job.Spec)]);
    }

    /// <summary>The mode that admits a job; the operator's own until that is decided.</summary>
    internal IAdmissionMode Of(TrainingJob job) => _modes.GetValueOrDefault(job.Status?.SchedulingMode ?? SchedulingMode.Operator, _modes[SchedulingMode.Operator]);

    private SchedulingMode Resolve(TrainingJob job)
    {
        if (job.Spec.Scheduling?.Mode is { } asked and not SchedulingMode.Auto) return asked;
        return job.Spec.Scheduling?.Queue is { Length: > 0 } queue && _isLocalQueue(new ObjectKey(job.Metadata.NamespaceProperty ?? "", queue)) ? SchedulingMode.Kueue : SchedulingMode.Operator;
    }
}
