namespace Trestle.Runtime;

/// <summary>Namespace and name of an object; the namespace is "" for kinds without one.</summary>
public readonly record struct ObjectKey(string Namespace, string Name)
{
    /// <summary>namespace/name, or the name alone.</summary>
    public override string ToString() => Namespace.Length == 0 ? Name : $"{Namespace}/{Name}";
}
