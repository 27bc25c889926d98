namespace Trestle.Operator.TrainingJobs;

/// <summary>One execution of a job, wherever it runs.</summary>
internal interface IAttempt
{
    /// <summary>Every rank has ended well.</summary>
    bool HasSucceeded { get; }

    /// <summary>Ends the job well.</summary>
    void Succeed();

    /// <summary>One step on.</summary>
    void Go();
}
