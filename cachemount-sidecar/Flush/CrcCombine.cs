namespace Trestle.CacheMount.Flush;

/// <summary>The CRC-32 of a whole from those of its pieces, by multiplication modulo the polynomial over GF(2).</summary>
internal static class CrcCombine
{
    private const uint Polynomial = 0xedb88320;
    private const uint One = 1u << 31;

    /// <summary>CRC-32 of two pieces one after the other.</summary>
    /// <param name="first">Of the first piece.</param>
    /// <param name="second">Of the second piece.</param>
    /// <param name="secondLength">Bytes of the second piece.</param>
    public static uint Combine(uint first, uint second, long secondLength)
    {
        // x^(8·length) mod P, by squaring.
        var (power, square) = (One, One >> 8);
        for (var left = secondLength; left > 0; left >>= 1)
        {
            if ((left & 1) == 1) power = Multiply(square, power);
            square = Multiply(square, square);
        }

        return Multiply(power, first) ^ second;
    }

    // Bit 31 is the coefficient of x^0.
    private static uint Multiply(uint left, uint right)
    {
        var product = 0u;
        for (var bit = One; bit != 0; bit >>= 1)
        {
            if ((left & bit) != 0) product ^= right;
            right = (right & 1) == 0 ? right >> 1 : (right >> 1) ^ Polynomial;
        }

        return product;
    }
}
