using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.InteropServices.Marshalling;

namespace Trestle.CacheMount.Native;

/// <summary>Gives names to system calls as the bytes they are; see <see cref="FileName"/>.</summary>
[CustomMarshaller(typeof(string), MarshalMode.ManagedToUnmanagedIn, typeof(In))]
internal static unsafe class PathMarshaller
{
    /// <summary>A name on the stack; a long one on the heap.</summary>
    public ref struct In
    {
        private byte* _bytes;
        private bool _isAllocated;

        public static int BufferSize => 512;

        public void FromManaged(string? path, Span<byte> buffer)
        {
            if (path is null) return;
            var most = FileName.MostBytes(path) + 1;
            if (most > buffer.Length)
            {
                _bytes = (byte*)NativeMemory.Alloc((nuint)most);
                _isAllocated = true;
                buffer = new Span<byte>(_bytes, most);
            }
            else
            {
                _bytes = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(buffer)); // the buffer is on the stack
            }

            buffer[FileName.Encode(path, buffer)] = 0;
        }

        public readonly byte* ToUnmanaged() => _bytes;

        public readonly void Free()
        {
            if (_isAllocated) NativeMemory.Free(_bytes);
        }
    }
}
