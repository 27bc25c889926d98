namespace Trestle.Bridge.Slurm;

/// <summary>A partition with what its nodes have.</summary>
/// <param name="Name">Name.</param>
/// <param name="State">up, down, drain or inactive.</param>
/// <param name="MaxTime">Longest job, as Slurm writes it.</param>
/// <param name="Nodes">Number of nodes.</param>
/// <param name="GpuType">Type that most of its GPUs are of; null without a type.</param>
/// <param name="Gpus">All GPUs; 0 for none.</param>
/// <param name="FreeGpus">GPUs not in use on nodes that take jobs.</param>
internal sealed record PartitionUse(string Name, string State, string MaxTime, int Nodes, string? GpuType, int Gpus, int FreeGpus);
