using System.Globalization;
using System.Text;

namespace Trestle.Local.ApiMachinery.Cel;

internal enum TokenKind { End, Identifier, Literal, Symbol }

/// <summary>One token; literals carry their value.</summary>
internal readonly record struct Token(TokenKind Kind, string Text, object? Value, int At);

/// <summary>Splits CEL source into tokens.</summary>
internal sealed class Lexer(string source)
{
    private static readonly string[] Symbols =
    [
        "&&", "||", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "!", "<", ">", "?", ":", ".", ",", "(", ")", "[", "]", "{", "}",
    ];

    private int at;

    public List<Token> Read()
    {
        var tokens = new List<Token>();
        while (true)
        {
            SkipBlank();
            if (at >= source.Length)
            {
                tokens.Add(new Token(TokenKind.End, "<EOF>", null, at));
                return tokens;
            }

            tokens.Add(Next());
        }
    }

    private Token Next()
    {
        var start = at;
        var c = source[at];
        if (StringPrefix() is { } prefix) return ReadString(start, prefix);
        if (char.IsAsciiLetter(c) || c == '_')
        {
            while (at < source.Length && (char.IsAsciiLetterOrDigit(source[at]) || source[at] == '_')) at++;
            var word = source[start..at];
            return word switch
            {
                "true" => new Token(TokenKind.Literal, word, true, start),
                "false" => new Token(TokenKind.Literal, word, false, start),
                "null" => new Token(TokenKind.Literal, word, null, start),
                "in" => new Token(TokenKind.Symbol, word, null, start),
                _ => new Token(TokenKind.Identifier, word, null, start),
            };
        }

        if (char.IsAsciiDigit(c) || (c == '.' && at + 1 < source.Length && char.IsAsciiDigit(source[at + 1]))) return ReadNumber(start);
        foreach (var symbol in Symbols)
        {
            if (!source.AsSpan(at).StartsWith(symbol, StringComparison.Ordinal)) continue;
            at += symbol.Length;
            return new Token(TokenKind.Symbol, symbol, null, start);
        }

        throw Fail(start, $"Syntax error: token recognition error at: '{c}'");
    }

    private void SkipBlank()
    {
        while (at < source.Length)
        {
            if (source[at] is ' ' or '\t' or '\r' or '\n' or '\f') at++;
            else if (source.AsSpan(at).StartsWith("//", StringComparison.Ordinal))
            {
                while (at < source.Length && source[at] != '\n') at++;
            }
            else return;
        }
    }

    private Token ReadNumber(int start)
    {
        if (source.AsSpan(at).StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            at += 2;
            while (at < source.Length && char.IsAsciiHexDigit(source[at])) at++;
            return Integer(start, source[(start + 2)..at], NumberStyles.AllowHexSpecifier);
        }

        while (at < source.Length && char.IsAsciiDigit(source[at])) at++;
        var isDouble = false;
        if (at + 1 < source.Length && source[at] == '.' && char.IsAsciiDigit(source[at + 1]))
        {
            isDouble = true;
            at++;
            while (at < source.Length && char.IsAsciiDigit(source[at])) at++;
        }

        if (at < source.Length && source[at] is 'e' or 'E')
        {
            var exponent = at + 1;
            if (exponent < source.Length && source[exponent] is '+' or '-') exponent++;
            if (exponent < source.Length && char.IsAsciiDigit(source[exponent]))
            {
                isDouble = true;
                at = exponent;
                while (at < source.Length && char.IsAsciiDigit(source[at])) at++;
            }
        }

        return isDouble
            ? new Token(TokenKind.Literal, source[start..at], double.Parse(source.AsSpan(start, at - start), NumberStyles.Float, CultureInfo.InvariantCulture), start)
            : Integer(start, source[start..at], NumberStyles.None);
    }

    private Token Integer(int start, string digits, NumberStyles style)
    {
        if (at < source.Length && source[at] is 'u' or 'U')
        {
            at++;
            if (ulong.TryParse(digits, style, CultureInfo.InvariantCulture, out var unsigned)) return new Token(TokenKind.Literal, source[start..at], unsigned, start);
            throw Fail(start, "invalid uint literal");
        }

        // The magnitude of the smallest int; only right behind a minus, which the parser checks.
        if (style == NumberStyles.None && digits == "9223372036854775808") return new Token(TokenKind.Literal, digits, long.MinValue, start);
        if (ulong.TryParse(digits, style, CultureInfo.InvariantCulture, out var value) && value <= long.MaxValue) return new Token(TokenKind.Literal, source[start..at], (long)value, start);
        throw Fail(start, "invalid int literal");
    }

    private (bool Raw, bool Bytes, int Length)? StringPrefix()
    {
        bool raw = false, bytes = false;
        var i = at;
        while (i < source.Length && i - at < 2 && source[i] is 'r' or 'R' or 'b' or 'B')
        {
            if (source[i] is 'r' or 'R') raw = true;
            else bytes = true;
            i++;
        }

        return i < source.Length && source[i] is '"' or '\'' ? (raw, bytes, i - at) : null;
    }

    private Token ReadString(int start, (bool Raw, bool Bytes, int Length) prefix)
    {
        at += prefix.Length;
        var quote = source[at];
        var triple = at + 2 < source.Length && source[at + 1] == quote && source[at + 2] == quote;
        var end = triple ? new string(quote, 3) : quote.ToString();
        at += end.Length;
        var text = new StringBuilder();
        while (true)
        {
            if (at >= source.Length || (!triple && source[at] is '\n' or '\r')) throw Fail(start, "Syntax error: unterminated string literal");
            if (source.AsSpan(at).StartsWith(end, StringComparison.Ordinal)) break;
            if (source[at] == '\\' && !prefix.Raw) ReadEscape(text);
            else text.Append(source[at++]);
        }

        at += end.Length;
        object value = prefix.Bytes ? Encoding.UTF8.GetBytes(text.ToString()) : text.ToString();
        return new Token(TokenKind.Literal, source[start..at], value, start);
    }

    private void ReadEscape(StringBuilder text)
    {
        var start = at++;
        if (at >= source.Length) throw Fail(start, "Syntax error: unterminated string literal");
        var c = source[at++];
        switch (c)
        {
            case 'a': text.Append('\a'); break;
            case 'b': text.Append('\b'); break;
            case 'f': text.Append('\f'); break;
            case 'n': text.Append('\n'); break;
            case 'r': text.Append('\r'); break;
            case 't': text.Append('\t'); break;
            case 'v': text.Append('\v'); break;
            case '\\' or '\'' or '"' or '`' or '?': text.Append(c); break;
            case 'x' or 'X': text.Append(Rune(start, 2, NumberStyles.AllowHexSpecifier)); break;
            case 'u': text.Append(Rune(start, 4, NumberStyles.AllowHexSpecifier)); break;
            case 'U': text.Append(Rune(start, 8, NumberStyles.AllowHexSpecifier)); break;
            case >= '0' and <= '3':
                at--;
                text.Append(Octal(start));
                break;
            default: throw Fail(start, $"Syntax error: token recognition error at: '\\{c}'");
        }
    }

    private string Rune(int start, int digits, NumberStyles style)
    {
        if (at + digits <= source.Length && int.TryParse(source.AsSpan(at, digits), style, CultureInfo.InvariantCulture, out var code) && System.Text.Rune.IsValid(code))
        {
            at += digits;
            return new Rune(code).ToString();
        }

        throw Fail(start, "Syntax error: invalid escape sequence");
    }

    private char Octal(int start)
    {
        if (at + 3 > source.Length) throw Fail(start, "Syntax error: invalid escape sequence");
        var value = 0;
        for (var i = 0; i < 3; i++)
        {
            if (source[at] is < '0' or > '7') throw Fail(start, "Syntax error: invalid escape sequence");
            value = (value * 8) + (source[at++] - '0');
        }

        return (char)value;
    }

    private CelException Fail(int position, string message) => new(CelError.Format(source, position, message));
}
