using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Fuse;

/// <summary>
/// Answers the kernel. Several threads take requests, one at a time, and work on them at once. Whatever a request holds, it is answered
/// or refused; nothing in it ends the process.
/// </summary>
internal sealed class FuseServer : IDisposable
{
    private const int NoAnswer = -2;
    private const int RequestSize = FuseReply.Most + 8192;
    private readonly Lock _reading = new();
    private readonly FuseTree _tree;
    private readonly ILogger _log;
    private readonly NameOperations _names;
    private readonly FileOperations _files;
    private readonly DirectoryOperations _directories;
    private readonly AttributeOperations _attributes;
    private readonly List<Thread> _threads = [];

    public FuseServer(FuseTree tree, ILogger log)
    {
        (_tree, _log) = (tree, log);
        (_names, _files, _attributes) = (new NameOperations(tree), new FileOperations(tree), new AttributeOperations(tree));
        _directories = new DirectoryOperations(tree, _names);
    }

    /// <summary>Begins to answer.</summary>
    public void Start()
    {
        for (var index = 0; index < Math.Clamp(Environment.ProcessorCount * 2, 4, 8); index++)
        {
            var device = index == 0 ? _tree.Device : null;
            var thread = new Thread(() => Serve(device)) { IsBackground = true, Name = $"fuse-{index}" };
            _threads.Add(thread);
            thread.Start();
        }
    }

    /// <summary>Waits for the threads, which end when the file system is unmounted, and closes what is open.</summary>
    public void Dispose()
    {
        _threads.ForEach(thread => thread.Join(TimeSpan.FromSeconds(5)));
        _files.CloseAll();
    }

    private unsafe void Serve(FuseDevice? main)
    {
        using var clone = main is null ? _tree.Device.Clone() : null;
        var device = main ?? clone!;
        using var reply = new FuseReply(device);
        var buffer = (byte*)NativeMemory.AlignedAlloc(RequestSize, 4096);
        try
        {
            while (true)
            {
                int length;
                var turn = 0L;
                // The order in which files were closed is that in which their requests come out.
                lock (_reading)
                {
                    if (device.Read(buffer, RequestSize) is not { } read) return;
                    length = read;
                    if (length >= Unsafe.SizeOf<Wire.InHeader>() && ((Wire.InHeader*)buffer)->Opcode == FuseOpcode.Release) turn = _tree.Events.Take();
                }

                reply.Clear();
                var (unique, error) = Answer(new ReadOnlySpan<byte>(buffer, length), reply, turn);
                if (error >= 0 && unique != 0) device.Answer(reply.Finish(unique, error));
            }
        }
        finally
        {
            NativeMemory.AlignedFree(buffer);
        }
    }

    private (ulong Unique, int Error) Answer(ReadOnlySpan<byte> bytes, FuseReply reply, long turn)
    {
        var unique = MemoryMarshal.TryRead<Wire.InHeader>(bytes, out var header) ? header.Unique : 0;
        try
        {
            return (unique, Answer(new FuseRequest(bytes), reply, turn));
        }
        catch (BadRequestException)
        {
            return (unique, header.Opcode is FuseOpcode.Forget or FuseOpcode.BatchForget or FuseOpcode.Interrupt ? NoAnswer : Errno.Invalid);
        }
        catch (Exception error)
        {
            FuseLog.Broke(_log, error, header.Opcode);
            return (unique, Errno.Io);
        }
    }

    private int Answer(in FuseRequest request, FuseReply reply, long turn) => request.Header.Opcode switch
    {
        FuseOpcode.Lookup => _names.Lookup(request, reply),
        FuseOpcode.Forget => Forget(request),
        FuseOpcode.BatchForget => BatchForget(request),
        FuseOpcode.GetAttributes => _attributes.Get(request, reply),
        FuseOpcode.SetAttributes => _attributes.Set(request, reply),
        FuseOpcode.ReadLink => _names.ReadLink(request, reply),
        FuseOpcode.SymbolicLink => _names.SymbolicLink(request, reply),
        FuseOpcode.MakeNode => _names.MakeNode(request, reply),
        FuseOpcode.MakeDirectory => _names.MakeDirectory(request, reply),
        FuseOpcode.Unlink => _names.Unlink(request),
        FuseOpcode.RemoveDirectory => _names.RemoveDirectory(request),
        FuseOpcode.Rename or FuseOpcode.Rename2 => _names.Rename(request, reply),
        FuseOpcode.Link => _names.Link(request, reply),
        FuseOpcode.Open => _files.Open(request, reply),
        FuseOpcode.Create => _files.Create(request, reply),
        FuseOpcode.Temporary => _files.Temporary(request, reply),
        FuseOpcode.Read => _files.Read(request, reply),
        FuseOpcode.Write => _files.Write(request, reply),
        FuseOpcode.Flush => _files.Flush(request, reply),
        FuseOpcode.Release => _files.Release(request, turn),
        FuseOpcode.Sync => _files.Sync(request),
        FuseOpcode.Allocate => _files.Allocate(request, reply),
        FuseOpcode.Seek => _files.Seek(request, reply),
        FuseOpcode.CopyRange => _files.CopyRange(request, reply),
        FuseOpcode.StatFileSystem => _attributes.StatFileSystem(reply),
        FuseOpcode.GetExtended => _attributes.GetExtended(request, reply),
        FuseOpcode.SetExtended => _attributes.SetExtended(request, reply),
        FuseOpcode.ListExtended => _attributes.ListExtended(request, reply),
        FuseOpcode.RemoveExtended => _attributes.RemoveExtended(request),
        FuseOpcode.OpenDirectory => _directories.Open(request, reply),
        FuseOpcode.ReadDirectory or FuseOpcode.ReadDirectoryPlus => _directories.Read(request, reply),
        FuseOpcode.ReleaseDirectory => _directories.Release(request),
        FuseOpcode.SyncDirectory => _directories.Sync(request),
        FuseOpcode.Init => Init(request, reply),
        FuseOpcode.Destroy => 0,
        FuseOpcode.Interrupt => Interrupt(request),
        FuseOpcode.NotifyReply => CameBack(request),
        _ => Errno.NotImplemented, // the kernel then does without: access is its own, poll says that all is ready
    };

    private int Init(in FuseRequest request, FuseReply reply)
    {
        const Wire.InitFlags wanted = Wire.InitFlags.AsyncRead | Wire.InitFlags.AtomicTruncate | Wire.InitFlags.BigWrites | Wire.InitFlags.ReadDirectoryPlus | Wire.InitFlags.ReadDirectoryPlusAuto
            | Wire.InitFlags.AsyncDirect | Wire.InitFlags.ParallelDirectories | Wire.InitFlags.MaxPages | Wire.InitFlags.CacheLinks | Wire.InitFlags.KillPrivileges | Wire.InitFlags.Extended | Wire.InitFlags.DirectMaps | Wire.InitFlags.Passthrough;
        var given = request.Read<Wire.InitIn>();
        ref var answer = ref reply.Add<Wire.InitOut>();
        (answer.Major, answer.Minor) = (Wire.Major, Math.Min(given.Minor, Wire.Minor));
        if (given.Major != Wire.Major) return given.Major < Wire.Major ? Errno.NotSupported : 0; // a newer one asks again in our words
        var offered = (Wire.InitFlags)given.Flags;
        if (offered.HasFlag(Wire.InitFlags.Extended)) offered |= (Wire.InitFlags)((ulong)request.Read<uint>(Wire.InitShortest) << 32);
        var agreed = offered & wanted;
        _tree.NoPassthrough = agreed.HasFlag(Wire.InitFlags.Passthrough) ? _tree.NoPassthroughWanted : "the kernel is older than 6.9";
        (answer.MaxReadAhead, answer.Flags, answer.Flags2) = (Math.Max(given.MaxReadAhead, 1 << 20), (uint)agreed, (uint)((ulong)agreed >> 32));
        (answer.MaxBackground, answer.CongestionThreshold, answer.MaxWrite, answer.TimeGranularity, answer.MaxPages) = (ushort.MaxValue, ushort.MaxValue, FuseReply.Most, 1, FuseReply.Most / 4096);
        answer.MaxStackDepth = agreed.HasFlag(Wire.InitFlags.Passthrough) ? 1u : 0;
        return 0;
    }

    private int CameBack(in FuseRequest request)
    {
        if (_tree.Drains.TryRemove(request.Header.Unique, out var drain)) _tree.Events.Tell(new FuseEvent(Directories.TreeChange.Lost, "", () => drain.TrySetResult()));
        return NoAnswer;
    }

    private int Forget(in FuseRequest request)
    {
        _tree.Nodes.Forget(request.Header.Node, request.Read<Wire.ForgetIn>().Lookups);
        return NoAnswer;
    }

    private int BatchForget(in FuseRequest request)
    {
        var count = request.Read<Wire.BatchForgetIn>().Count;
        for (var index = 0; index < count; index++)
        {
            var one = request.Read<Wire.ForgetOne>(Unsafe.SizeOf<Wire.BatchForgetIn>() + (index * Unsafe.SizeOf<Wire.ForgetOne>()));
            _tree.Nodes.Forget(one.Node, one.Lookups);
        }

        return NoAnswer;
    }

    private int Interrupt(in FuseRequest request)
    {
        _tree.Late.Interrupt(request.Read<Wire.InterruptIn>().Unique);
        return NoAnswer;
    }
}
