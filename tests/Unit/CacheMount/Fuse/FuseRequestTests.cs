using System.Runtime.InteropServices;
using CsCheck;
using Trestle.CacheMount.Fuse;

namespace Trestle.CacheMount.Tests.Fuse;

public sealed class FuseRequestTests
{
    [Fact]
    public void Whatever_the_bytes_are_nothing_is_read_past_their_end() =>
        Gen.Select(Gen.Byte.Array[0, 120], Gen.UInt[0, 200], Gen.UInt[0, 60]).Sample((bytes, length, opcode) =>
        {
            if (bytes.Length >= 8)
            {
                MemoryMarshal.Write(bytes, length);
                MemoryMarshal.Write(bytes.AsSpan(4), opcode);
            }

            try
            {
                Use(new FuseRequest(bytes));
            }
            catch (BadRequestException)
            {
                // refused, as it should be
            }
        });

    [Fact]
    public void Names_end_and_lead_nowhere()
    {
        Name("a\0b\0"u8).ShouldBe(("a", "b"));
        foreach (var bad in new[] { "a\0", "a\0b", "\0b\0", ".\0b\0", "..\0b\0", "a/c\0b\0", "" }) Should.Throw<BadRequestException>(() => Name(System.Text.Encoding.UTF8.GetBytes(bad)));
    }

    private static void Use(FuseRequest request)
    {
        request.After<Wire.WriteIn>((int)request.Read<Wire.WriteIn>().Size);
        var at = 0;
        request.Name(ref at);
        request.Name(ref at);
        request.NameAfter<Wire.CreateIn>();
        request.Read<Wire.ForgetOne>(at);
    }

    private static (string First, string Second) Name(ReadOnlySpan<byte> body)
    {
        var header = new Wire.InHeader { Length = (uint)(40 + body.Length) };
        var request = new FuseRequest([.. MemoryMarshal.AsBytes(new ReadOnlySpan<Wire.InHeader>(ref header)), .. body]);
        var at = 0;
        return (request.Name(ref at), request.Name(ref at));
    }
}
