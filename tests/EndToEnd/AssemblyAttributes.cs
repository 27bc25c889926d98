// Every test class starts a whole control plane; one at a time is what a small machine can do.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
