using CsCheck;
using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Tests.Native;

public sealed class FileNameTests
{
    [Fact]
    public void Any_bytes_come_back_as_they_were() =>
        Gen.Byte.Array[0, 60].Sample(bytes => FileName.Encode(FileName.Decode(bytes)).ShouldBe(bytes));

    [Fact]
    public void Text_stays_text_and_what_is_none_is_told()
    {
        FileName.Decode("ü ✓ 😀"u8).ShouldBe("ü ✓ 😀");
        FileName.Encode("ü ✓ 😀").ShouldBe("ü ✓ 😀"u8.ToArray());
        FileName.IsText("ü ✓ 😀").ShouldBeTrue();
        FileName.IsText(FileName.Decode([0x61, 0xff, 0x62])).ShouldBeFalse();
        FileName.IsText(FileName.Decode([0xed, 0xa0, 0x80])).ShouldBeFalse(); // a surrogate is no UTF-8
    }
}
