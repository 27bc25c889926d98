// Every test class starts a whole control plane; one at a time is what a small machine can do.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
