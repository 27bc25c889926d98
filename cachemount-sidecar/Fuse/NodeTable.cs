using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Fuse;

/// <summary>All entries that the kernel knows, by number, by what they are on disk, and by name. Safe for several threads.</summary>
internal sealed class NodeTable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ulong, Node> _nodes = [];
    private readonly Dictionary<NodeKey, Node> _keys = [];
    private readonly Dictionary<(ulong Parent, string Name), Node> _names = [];
    private ulong _lastId = Node.RootId;

    /// <param name="root">Descriptor of the root.</param>
    /// <param name="key">What the root is.</param>
    public NodeTable(int root, NodeKey key)
    {
        Root = new Node(Node.RootId, key) { Directory = root, Lookups = 1 };
        _nodes[Node.RootId] = Root;
        _keys[key] = Root;
    }

    public Node Root { get; }

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _nodes.Count;
        }
    }

    /// <exception cref="BadRequestException">There is none of this number.</exception>
    public Node this[ulong id]
    {
        get
        {
            lock (_lock) return _nodes.GetValueOrDefault(id) ?? throw new BadRequestException($"there is no node {id}");
        }
    }

    /// <summary>The node of a name, told to the kernel once more.</summary>
    /// <param name="parent">Directory.</param>
    /// <param name="name">Name in it.</param>
    /// <param name="key">What is there on disk; null: only the store has it.</param>
    /// <param name="directory">Opens it, when it is a directory that is not known yet; -1 when it is none.</param>
    public Node Enter(Node parent, string name, NodeKey? key, Func<int>? directory = null)
    {
        lock (_lock)
        {
            var named = _names.GetValueOrDefault((parent.Id, name));
            var node = key is { } known ? _keys.GetValueOrDefault(known) : named is { IsStoredOnly: true } ? named : null;
            // A file whose local copy was given up, or came back, is still the same one.
            if (node is null && named is { IsDirectory: false, Handles.Count: 0 } && (key is null || named.IsStoredOnly)) Rekey(node = named, key);
            node ??= Make(key, directory);
            if (node != named)
            {
                if (named is not null) Detach(named, parent, name);
                Attach(node, parent, name);
            }

            node.Lookups++;
            return node;
        }
    }

    /// <summary>The node of a file without a name.</summary>
    public Node EnterUnnamed(NodeKey key)
    {
        lock (_lock)
        {
            var node = Make(key, null);
            node.Lookups++;
            return node;
        }
    }

    /// <summary>The kernel forgets.</summary>
    public void Forget(ulong id, ulong lookups)
    {
        lock (_lock)
        {
            if (id == Node.RootId || !_nodes.TryGetValue(id, out var node)) return;
            node.Lookups -= (long)Math.Min(lookups, (ulong)node.Lookups);
            Drop(node);
        }
    }

    /// <summary>A name of the node; null when it has none any more.</summary>
    public NodeName? NameOf(Node node)
    {
        lock (_lock) return node.Names.Count > 0 ? node.Names[0] : null;
    }

    /// <summary>Its path below the root, empty for the root; null when it has none.</summary>
    public string? PathOf(Node node)
    {
        lock (_lock)
        {
            var parts = new List<string>();
            for (var at = node; at != Root; at = at.Names[0].Parent)
            {
                if (at.Names.Count == 0) return null;
                parts.Add(at.Names[0].Name);
            }

            parts.Reverse();
            return string.Join('/', parts);
        }
    }

    /// <summary>The path of an entry of a directory; null when the directory has none.</summary>
    public string? PathOf(Node parent, string name) => PathOf(parent) is { } path ? path.Length == 0 ? name : $"{path}/{name}" : null;

    /// <summary>Whether a file of this path is known and open for writing.</summary>
    public bool HasWriter(string path)
    {
        lock (_lock)
        {
            var at = Root;
            foreach (var part in path.Split('/'))
            {
                if (!_names.TryGetValue((at.Id, part), out at!)) return false;
            }

            return at.Writers > 0;
        }
    }

    /// <summary>A name was removed.</summary>
    public void Remove(Node parent, string name)
    {
        lock (_lock)
        {
            if (_names.GetValueOrDefault((parent.Id, name)) is { } node) Detach(node, parent, name);
        }
    }

    /// <summary>A name was changed; what had the new one has lost it, or has the old one now.</summary>
    public void Rename(Node parent, string name, Node newParent, string newName, bool isExchange)
    {
        lock (_lock)
        {
            var (moved, met) = (_names.GetValueOrDefault((parent.Id, name)), _names.GetValueOrDefault((newParent.Id, newName)));
            if (moved == met) return;
            if (met is not null) Detach(met, newParent, newName, isKept: true);
            if (moved is not null) Detach(moved, parent, name, isKept: true);
            if (moved is not null) Attach(moved, newParent, newName);
            if (met is not null && isExchange) Attach(met, parent, name);
            if (met is not null) Drop(met);
        }
    }

    private Node Make(NodeKey? key, Func<int>? directory)
    {
        var id = ++_lastId;
        var node = new Node(id, key ?? new NodeKey(0, (long)id)) { Directory = directory?.Invoke() ?? -1 };
        _nodes[id] = node;
        _keys[node.Key] = node;
        return node;
    }

    private void Rekey(Node node, NodeKey? key)
    {
        _keys.Remove(node.Key);
        node.Key = key ?? new NodeKey(0, (long)node.Id);
        _keys[node.Key] = node;
    }

    private void Attach(Node node, Node parent, string name)
    {
        node.Names.Add(new NodeName(parent, name));
        _names[(parent.Id, name)] = node;
        parent.Children++;
    }

    private void Detach(Node node, Node parent, string name, bool isKept = false)
    {
        node.Names.Remove(new NodeName(parent, name));
        _names.Remove((parent.Id, name));
        parent.Children--;
        if (!isKept) Drop(node);
        if (parent != Root) Drop(parent);
    }

    // Its children's paths lead through it, so it stays as long as they do.
    private void Drop(Node node)
    {
        if (node.Lookups > 0 || node.Children > 0 || !_nodes.Remove(node.Id)) return;
        if (_keys.GetValueOrDefault(node.Key) == node) _keys.Remove(node.Key);
        foreach (var name in node.Names.ToArray()) Detach(node, name.Parent, name.Name, isKept: true);
        if (node.IsDirectory) _ = Posix.Close(node.Directory);
    }
}
