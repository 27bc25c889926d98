namespace Trestle.Testing.Slurm;

/// <summary>A user of the cluster, with private keys in OpenSSH's format.</summary>
public sealed record SlurmUser(string Name, string Home, string Ed25519Key, string EcdsaKey, string RsaKey);
