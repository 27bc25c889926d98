using Trestle.Testing.Slurm;

namespace Trestle.Integration.Tests.Slurm;

/// <summary>Tests on one real Slurm, one after the other: some of them stop parts of it.</summary>
[CollectionDefinition(Name)]
public sealed class SlurmCollection : ICollectionFixture<SlurmFixture>
{
    public const string Name = "Slurm";
}
