using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using k8s;
using k8s.Models;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.Rbac;

/// <summary>
/// The calls of <see cref="IKubeApi"/> that an assembly holds, read from its metadata: which method with which class. Where a generic
/// method of ours hands its own parameter on, the metadata tells what may be called and not what is.
/// </summary>
internal sealed class KubeCalls
{
    private const int Instance = 0x15;
    private const int OneArgument = 1;
    private readonly Assembly _assembly;
    private readonly MetadataReader _reader;

    private KubeCalls(Assembly assembly, MetadataReader reader) => (_assembly, _reader) = (assembly, reader);

    /// <summary>Calls that are there, and those that may be.</summary>
    public static (IReadOnlySet<(string Method, Type Class)> Certain, IReadOnlySet<(string Method, Type Class)> Possible) In(Assembly assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly.Location));
        return new KubeCalls(assembly, file.GetMetadataReader()).Read();
    }

    private (HashSet<(string Method, Type Class)> Certain, HashSet<(string Method, Type Class)> Possible) Read()
    {
        var uses = Enumerable.Range(1, _reader.GetTableRowCount(TableIndex.MethodSpec))
            .Select(row => _reader.GetMethodSpecification(MetadataTokens.MethodSpecificationHandle(row)))
            .Select(use => (Api: ApiMethod(use.Method), IsOurs: TakesObjects(use.Method), Argument: Argument(use.Signature))).ToList();
        var calls = uses.Where(use => use is { Api: not null, Argument: not null }).Select(use => (use.Api!, use.Argument!)).ToHashSet();

        // A generic method of ours hands its own parameter on: it may be called with every class that any such method is used with.
        var handedOn = uses.Where(use => use is { Api: not null, Argument: null }).Select(use => use.Api!).Where(name => name is not (nameof(IKubeApi.ListAsync) or nameof(IKubeApi.WatchAsync)));
        var classes = uses.Where(use => use is { Api: null, IsOurs: true, Argument: not null }).Select(use => use.Argument!).Distinct().ToList();
        var possible = handedOn.SelectMany(name => classes.Select(one => (name, one))).ToHashSet();

        // Informers alone list and watch.
        calls.UnionWith(Informed().SelectMany(one => new[] { (nameof(IKubeApi.ListAsync), one), (nameof(IKubeApi.WatchAsync), one) }));
        possible.UnionWith(classes.SelectMany(one => new[] { (nameof(IKubeApi.ListAsync), one), (nameof(IKubeApi.WatchAsync), one) }));
        return (calls, possible);
    }

    private string? ApiMethod(EntityHandle method)
    {
        if (method.Kind == HandleKind.MemberReference)
        {
            var member = _reader.GetMemberReference((MemberReferenceHandle)method);
            return member.Parent.Kind == HandleKind.TypeReference && Resolve(member.Parent) == typeof(IKubeApi) ? _reader.GetString(member.Name) : null;
        }

        var definition = _reader.GetMethodDefinition((MethodDefinitionHandle)method);
        return Resolve(definition.GetDeclaringType()) == typeof(IKubeApi) ? _reader.GetString(definition.Name) : null;
    }

    private bool TakesObjects(EntityHandle method) =>
        method.Kind == HandleKind.MethodDefinition
        && _assembly.ManifestModule.ResolveMethod(MetadataTokens.GetToken(method))!.GetGenericArguments()[0].GetGenericParameterConstraints().Contains(typeof(IKubernetesObject<V1ObjectMeta>));

    // Null for a generic parameter.
    private Type? Argument(BlobHandle signature)
    {
        var blob = _reader.GetBlobReader(signature);
        blob.ReadByte();
        return blob.ReadCompressedInteger() == OneArgument && (SignatureTypeKind)blob.ReadByte() == SignatureTypeKind.Class ? Resolve(blob.ReadTypeHandle()) : null;
    }

    private IEnumerable<Type> Informed()
    {
        for (var row = 1; row <= _reader.GetTableRowCount(TableIndex.TypeSpec); row++)
        {
            var blob = _reader.GetBlobReader(_reader.GetTypeSpecification(MetadataTokens.TypeSpecificationHandle(row)).Signature);
            if (blob.ReadByte() != Instance || (SignatureTypeKind)blob.ReadByte() != SignatureTypeKind.Class) continue;
            if (Resolve(blob.ReadTypeHandle()) != typeof(Informer<>)) continue;
            if (blob.ReadCompressedInteger() == OneArgument && (SignatureTypeKind)blob.ReadByte() == SignatureTypeKind.Class) yield return Resolve(blob.ReadTypeHandle())!;
        }
    }

    private Type? Resolve(EntityHandle handle) =>
        handle.Kind is HandleKind.TypeReference or HandleKind.TypeDefinition ? _assembly.ManifestModule.ResolveType(MetadataTokens.GetToken(handle)) : null;
}
