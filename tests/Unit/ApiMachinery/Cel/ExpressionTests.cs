using CsCheck;
using Trestle.Local.ApiMachinery.Cel;

namespace Trestle.Local.ApiMachinery.Tests.Cel;

public sealed class ExpressionTests
{
    [Theory]
    [InlineData("1 + 2 * 3 == 7")]
    [InlineData("(1 + 2) * 3 == 9")]
    [InlineData("10 - 2 - 3 == 5")]
    [InlineData("7 / 2 == 3 && 7 % 2 == 1 && -7 / 2 == -3")]
    [InlineData("1.5 + 1.5 == 3.0")]
    [InlineData("1u + 2u == 3u")]
    [InlineData("0x1F == 31")]
    [InlineData("-9223372036854775808 < 0")]
    [InlineData("1 < 2.5 && 2u > 1")]
    [InlineData("'a' + 'b' == 'ab' && \"x\" != 'y'")]
    [InlineData(@"'a\n\x41\u00e9'.size() == 4")]
    [InlineData(@"r'\d' == '\\d'")]
    [InlineData("'''it's''' == \"it's\"")]
    [InlineData("true ? 1 == 1 : 1 == 2")]
    [InlineData("!(false || false) && true")]
    [InlineData("[1, 2, 3].all(x, x > 0) && ![1, 2].all(x, x > 1)")]
    [InlineData("[1, 2, 3].exists(x, x == 2) && [1, 2].exists_one(x, x == 2)")]
    [InlineData("[1, 2, 3].filter(x, x != 2).map(x, x * 2) == [2, 6]")]
    [InlineData("[1, 2, 3].map(x, x > 1, x + 1) == [3, 4]")]
    [InlineData("{'a': 1, 'b': 2}.all(k, k != 'c') && {'a': 1}['a'] == 1 && {'a': 1}.a == 1")]
    [InlineData("2 in [1, 2] && !('x' in {'a': 1}) && 'a' in {'a': 1}")]
    [InlineData("size('héé') == 3 && 'abc'.size() == 3 && [1].size() == 1 && size({}) == 0")]
    [InlineData("'abc'.startsWith('ab') && 'abc'.endsWith('bc') && 'abc'.contains('b') && 'abc'.matches('^a.c$')")]
    [InlineData("!'abc\\n'.matches('^abc$')")]
    [InlineData("'A-b'.lowerAscii() == 'a-b' && 'a'.upperAscii() == 'A' && ' x '.trim() == 'x'")]
    [InlineData("'a,b,c'.split(',') == ['a', 'b', 'c'] && 'a,b,c'.split(',', 2) == ['a', 'b,c'] && ['a', 'b'].join('-') == 'a-b'")]
    [InlineData("'aaa'.replace('a', 'b') == 'bbb' && 'aaa'.replace('a', 'b', 1) == 'baa' && 'ab'.replace('', '-') == '-a-b-'")]
    [InlineData("'hello'.substring(1, 3) == 'el' && 'hello'.indexOf('l') == 2 && 'hello'.lastIndexOf('l') == 3 && 'hi'.charAt(1) == 'i'")]
    [InlineData("'a1b22'.find('[0-9]+') == '1' && 'a1b22'.findAll('[0-9]+') == ['1', '22']")]
    [InlineData("int('42') == 42 && string(42) == '42' && double('1.5') == 1.5 && int(2.9) == 2 && uint(3) == 3u && string(true) == 'true'")]
    [InlineData("type(1) == int && type('a') == string && type([]) == list && type(1.0) != int")]
    [InlineData("duration('1h30m') > duration('1h') && duration('90s').getMinutes() == 1")]
    [InlineData("timestamp('2026-01-01T00:00:00Z') + duration('1h') == timestamp('2026-01-01T01:00:00Z')")]
    [InlineData("quantity('1Gi').isGreaterThan(quantity('1G')) && quantity('500m').compareTo(quantity('0.5')) == 0 && isQuantity('64Gi') && !isQuantity('x')")]
    [InlineData("[1, 2, 3].sum() == 6 && [3, 1].min() == 1 && [3, 1].max() == 3 && [1, 2].isSorted() && [1, 2].indexOf(2) == 1")]
    [InlineData("{'a': 1}[?'b'].orValue(5) == 5 && {'a': 1}.?a.orValue(5) == 1 && !optional.none().hasValue()")]
    [InlineData("{'a': 2}.?a.optMap(x, x * 2).value() == 4")]
    [InlineData("cel.bind(x, 3, x * x) == 9")]
    [InlineData("has({'a': 1}.a) && !has({'a': 1}.b)")]
    [InlineData("true || 1 / 0 == 1")]
    [InlineData("1 / 0 == 1 || true")]
    [InlineData("!(1 / 0 == 1 && false)")]
    [InlineData("[1, 0].exists(x, 1 / x == 1)")]
    [InlineData("![0, 1].all(x, 1 / x == 2)")]
    [InlineData("dyn(1) == 1 && dyn('a') != 1")]
    [InlineData("1 == 1 // a comment")]
    public void An_expression_holds(string source) => Evaluate(source).ShouldBe(true);

    [Theory]
    [InlineData("1 / 0 == 1", "division by zero")]
    [InlineData("9223372036854775807 + 1 > 0", "integer overflow")]
    [InlineData("-(-9223372036854775808) > 0", "integer overflow")]
    [InlineData("[1][5] == 1", "index out of bounds: 5")]
    [InlineData("{'a': 1}.b == 1", "no such key: b")]
    [InlineData("int('x') == 1", "type conversion error from 'string' to 'int'")]
    [InlineData("dyn('a') < 1", "no such overload")]
    [InlineData("true && 1 / 0 == 1", "division by zero")]
    public void A_failure_is_an_error_of_the_language(string source, string message) =>
        Should.Throw<CelException>(() => Evaluate(source)).Message.ShouldBe(message);

    [Theory]
    [InlineData("1 + 'a' == 2", "ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, string)'\n | 1 + 'a' == 2\n | ..^")]
    [InlineData("nope == 1", "ERROR: <input>:1:1: undeclared reference to 'nope' (in container '')\n | nope == 1\n | ^")]
    [InlineData("'a'.nope()", "ERROR: <input>:1:9: undeclared reference to 'nope' (in container '')\n | 'a'.nope()\n | ........^")]
    [InlineData("1 in 2", "ERROR: <input>:1:3: found no matching overload for '@in' applied to '(int, int)'\n | 1 in 2\n | ..^")]
    public void A_type_error_points_at_its_place(string source, string message) =>
        Should.Throw<CelException>(() => Evaluate(source)).Message.ShouldBe(message);

    [Theory]
    [InlineData("")]
    [InlineData("1 +")]
    [InlineData("(1")]
    [InlineData("'open")]
    [InlineData("1 == 1 2")]
    [InlineData("a.")]
    [InlineData("9223372036854775808 > 0")]
    [InlineData("has(x)")]
    [InlineData("[1].all(1 + 1, true)")]
    [InlineData("#")]
    [InlineData("'\\q'")]
    public void What_is_not_an_expression_does_not_parse(string source) => Should.Throw<CelException>(() => Parser.Parse(source));

    [Fact]
    public void Nesting_and_chains_have_a_limit()
    {
        Should.Throw<CelException>(() => Parser.Parse(new string('(', 5000) + "1" + new string(')', 5000)));
        Should.Throw<CelException>(() => Parser.Parse(string.Join('+', Enumerable.Repeat("1", 50_000))));
        Should.Throw<CelException>(() => Parser.Parse(new string('!', 5000) + "true"));
        Should.Throw<CelException>(() => Parser.Parse("a" + string.Concat(Enumerable.Repeat(".b", 50_000))));
    }

    [Fact]
    public void A_hostile_expression_runs_out_of_steps_instead_of_time()
    {
        var ten = "[1,2,3,4,5,6,7,8,9,0]";
        var source = string.Concat(Enumerable.Range(0, 9).Select(i => $"{ten}.all(x{i}, ")) + "true" + new string(')', 9);
        Should.Throw<CelException>(() => Evaluate(source)).IsBudget.ShouldBeTrue();
        var growing = "'xxxxxxxxxxxxxxxx'" + string.Concat(Enumerable.Repeat(".replace('x', 'xxxxxxxxxxxxxxxx')", 12)) + " == ''";
        Should.Throw<CelException>(() => Evaluate(growing)).IsBudget.ShouldBeTrue();
    }

    [Fact]
    public void Nothing_but_its_own_error_leaves_the_language_on_random_input() =>
        RandomSource.Sample(source =>
        {
            try
            {
                Evaluate(source);
            }
            catch (CelException)
            {
            }
        }, iter: 20_000);

    [Fact]
    public void A_parsed_expression_written_out_reads_the_same() =>
        RandomExpression(4).Sample(source =>
        {
            var written = ExpressionWriter.Write(Parser.Parse(source));
            ExpressionWriter.Write(Parser.Parse(written)).ShouldBe(written);
        }, iter: 5_000);

    [Fact]
    public void A_well_formed_expression_gives_a_value_or_its_own_error() =>
        RandomExpression(5).Sample(source =>
        {
            try
            {
                Evaluate(source);
            }
            catch (CelException)
            {
            }
        }, iter: 20_000);

    private static object? Evaluate(string source)
    {
        var expr = Parser.Parse(source);
        new Checker(source).Check(expr, new Dictionary<string, CelType>());
        return new Evaluator(1_000_000).Run(expr, new Dictionary<string, object?>());
    }

    private static readonly string[] Fragments =
    [
        "1", "0", "'a'", "\"", "'", "true", "null", "self", ".", "..", "(", ")", "[", "]", "{", "}", "?", ":", ",", "+", "-", "*", "/", "%", "!", "==", "!=", "<", "in", "&&", "||", " ",
        "all", "exists", "map", "has", "size", "x", "matches", "1e9", "0x", "u", "b'", "\\", "r'", "cel.bind", "\n", "é", "\ud800", "9223372036854775808",
    ];

    private static readonly Gen<string> RandomSource = Gen.OneOf(Fragments).Array[0, 20].Select(string.Concat);

    private static Gen<string> RandomExpression(int depth)
    {
        var leaf = Gen.OneOf("1", "2", "0", "-3", "1.5", "2u", "'a'", "'bc'", "''", "true", "false", "null", "[1, 2]", "['a']", "{'k': 1}", "b'x'", "duration('1s')");
        if (depth == 0) return leaf;
        var inner = RandomExpression(depth - 1);
        return Gen.OneOf(
            leaf,
            Gen.Select(inner, Gen.OneOf("+", "-", "*", "/", "%", "==", "!=", "<", ">=", "&&", "||", "in"), inner, (a, op, b) => $"({a} {op} {b})"),
            inner.Select(a => $"!{a}"),
            inner.Select(a => $"-({a})"),
            Gen.Select(inner, inner, inner, (a, b, c) => $"({a} ? {b} : {c})"),
            Gen.Select(inner, Gen.OneOf("all", "exists", "exists_one", "filter", "map"), inner, (a, m, b) => $"{a}.{m}(v, {b})"),
            Gen.Select(inner, inner, (a, b) => $"[{a}, {b}]"),
            Gen.Select(inner, inner, (a, b) => $"{a}[{b}]"),
            Gen.Select(Gen.OneOf("size", "int", "string", "double", "type", "dyn", "bool"), inner, (f, a) => $"{f}({a})"),
            Gen.Select(inner, Gen.OneOf("startsWith", "contains", "matches", "split", "indexOf", "join"), inner, (a, f, b) => $"{a}.{f}({b})"),
            Gen.Select(inner, Gen.OneOf("sum", "min", "isSorted", "trim", "size", "lowerAscii"), (a, f) => $"{a}.{f}()"));
    }
}
