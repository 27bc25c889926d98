namespace Trestle.Local.ApiMachinery.Cel;

/// <summary>A precedence-climbing parser of CEL; macros are recognised here, as the language says.</summary>
internal sealed class Parser
{
    private const int MaxDepth = 200;
    private const int MaxLength = 100_000;
    private const int MaxChain = 2_000;

    private static readonly HashSet<string> Reserved = new(StringComparer.Ordinal)
    {
        "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package", "namespace", "return", "var", "void", "while",
    };

    private readonly string source;
    private readonly List<Token> tokens;
    private int position;
    private int depth;
    private int chained;

    private Parser(string source)
    {
        this.source = source;
        tokens = new Lexer(source).Read();
    }

    private Token Current => tokens[position];

    /// <exception cref="CelException">The text is not CEL; the message has the place.</exception>
    public static Expr Parse(string source)
    {
        if (source.Length > MaxLength) throw new CelException($"expression code point size exceeds limit: size: {source.Length}, limit {MaxLength}");
        var parser = new Parser(source);
        var expr = parser.Expression();
        if (parser.Current.Kind != TokenKind.End) throw parser.Unexpected("<EOF>");
        return expr;
    }

    private Expr Expression()
    {
        if (++depth > MaxDepth) throw Fail(Current.At, $"expression recursion limit exceeded: {MaxDepth}");
        var test = Binary(0);
        if (Accept("?", out var question))
        {
            var then = Binary(0);
            Expect(":");
            test = new Conditional(question.At, test, then, Expression());
        }

        depth--;
        return test;
    }

    private static int Precedence(Token token) => token.Kind != TokenKind.Symbol ? -1 : token.Text switch
    {
        "||" => 0,
        "&&" => 1,
        "==" or "!=" or "<" or "<=" or ">" or ">=" or "in" => 2,
        "+" or "-" => 3,
        "*" or "/" or "%" => 4,
        _ => -1,
    };

    private Expr Binary(int minimum)
    {
        var left = Unary();
        while (Precedence(Current) is var precedence && precedence >= minimum)
        {
            var op = Chained(Take());
            var right = Binary(precedence + 1);
            left = op.Text switch
            {
                "&&" => new Logic(op.At, true, left, right),
                "||" => new Logic(op.At, false, left, right),
                "in" => new Call(op.At, null, "@in", [left, right]),
                _ => new Call(op.At, null, $"_{op.Text}_", [left, right]),
            };
        }

        return left;
    }

    // A long chain makes a deep tree without nesting; those who walk the tree need a bound on both.
    private Token Chained(Token token) => ++chained > MaxChain ? throw Fail(token.At, $"expression has more than {MaxChain} operators") : token;

    private Expr Unary()
    {
        if (++depth > MaxDepth) throw Fail(Current.At, $"expression recursion limit exceeded: {MaxDepth}");
        Expr result;
        if (Accept("!", out var not)) result = new Call(not.At, null, "!_", [Unary()]);
        else if (Accept("-", out var minus))
        {
            if (Current is { Kind: TokenKind.Literal, Value: long.MinValue, Text: "9223372036854775808" })
            {
                Take();
                result = Members(new Literal(minus.At, long.MinValue));
            }
            else if (Current is { Kind: TokenKind.Literal, Value: long or double } number)
            {
                Take();
                result = Members(new Literal(minus.At, number.Value is long i ? (object)-i : -(double)number.Value));
            }
            else
            {
                result = new Call(minus.At, null, "-_", [Unary()]);
            }
        }
        else
        {
            result = Members(Primary());
        }

        depth--;
        return result;
    }

    private Expr Members(Expr operand)
    {
        while (true)
        {
            if (Accept(".", out var dot))
            {
                Chained(dot);
                var optional = Accept("?", out _);
                var name = Identifier(allowReserved: true);
                operand = !optional && Accept("(", out var open) ? Method(operand, name.Text, open.At) : new Select(dot.At, operand, name.Text, optional);
            }
            else if (Accept("[", out var bracket))
            {
                Chained(bracket);
                var optional = Accept("?", out _);
                operand = new ElementAt(bracket.At, operand, Expression(), optional);
                Expect("]");
            }
            else
            {
                return operand;
            }
        }
    }

    private Expr Primary()
    {
        var token = Take();
        switch (token.Kind)
        {
            case TokenKind.Literal:
                if (token.Value is long.MinValue) throw Fail(token.At, "invalid int literal");
                return new Literal(token.At, token.Value);
            case TokenKind.Identifier:
                if (Reserved.Contains(token.Text)) throw Fail(token.At, $"reserved identifier: {token.Text}");
                return Accept("(", out var open) ? Function(token, open.At) : new Ident(token.At, token.Text);
            case TokenKind.Symbol when token.Text == "(":
                var inner = Expression();
                Expect(")");
                return inner;
            case TokenKind.Symbol when token.Text == "[":
                return new MakeList(token.At, List("]"));
            case TokenKind.Symbol when token.Text == "{":
                return MapLiteral(token.At);
            case TokenKind.Symbol when token.Text == "." && Current.Kind == TokenKind.Identifier:
                return new Ident(token.At, Take().Text);
            default:
                position--;
                throw Unexpected("an expression");
        }
    }

    private MakeMap MapLiteral(int at)
    {
        var entries = new List<(Expr, Expr)>();
        while (!Accept("}", out _))
        {
            var key = Expression();
            Expect(":");
            entries.Add((key, Expression()));
            if (Accept(",", out _)) continue;
            Expect("}");
            break;
        }

        return new MakeMap(at, entries);
    }

    private List<Expr> List(string close)
    {
        var items = new List<Expr>();
        while (!Accept(close, out _))
        {
            items.Add(Expression());
            if (Accept(",", out _)) continue;
            Expect(close);
            break;
        }

        return items;
    }

    private Expr Function(Token name, int open)
    {
        var arguments = List(")");
        if (name.Text != "has") return new Call(open, null, name.Text, arguments);
        return arguments is [Select { Optional: false } select]
            ? new Has(open, select.Operand, select.Field)
            : throw Fail(open, "invalid argument to has() macro");
    }

    private Expr Method(Expr target, string name, int open)
    {
        var arguments = List(")");
        if (target is Ident { Name: "cel" } && name == "bind" && arguments.Count == 3)
            return new Bind(open, Variable(arguments[0]), arguments[1], arguments[2], OptionalUse.None);
        return (name, arguments.Count) switch
        {
            ("all", 2) => new Macro(open, MacroKind.All, target, Variable(arguments[0]), arguments[1], null),
            ("exists", 2) => new Macro(open, MacroKind.Exists, target, Variable(arguments[0]), arguments[1], null),
            ("exists_one" or "existsOne", 2) => new Macro(open, MacroKind.ExistsOne, target, Variable(arguments[0]), arguments[1], null),
            ("filter", 2) => new Macro(open, MacroKind.Filter, target, Variable(arguments[0]), arguments[1], null),
            ("map", 2) => new Macro(open, MacroKind.Map, target, Variable(arguments[0]), null, arguments[1]),
            ("map", 3) => new Macro(open, MacroKind.Map, target, Variable(arguments[0]), arguments[1], arguments[2]),
            ("optMap", 2) => new Bind(open, Variable(arguments[0]), target, arguments[1], OptionalUse.Map),
            ("optFlatMap", 2) => new Bind(open, Variable(arguments[0]), target, arguments[1], OptionalUse.FlatMap),
            _ => new Call(open, target, name, arguments),
        };
    }

    private string Variable(Expr expr) => expr is Ident ident ? ident.Name : throw Fail(expr.At, "argument must be a simple name");

    private Token Identifier(bool allowReserved)
    {
        if (Current.Kind == TokenKind.Identifier && (allowReserved || !Reserved.Contains(Current.Text))) return Take();
        throw Unexpected("an identifier");
    }

    private bool Accept(string symbol, out Token token)
    {
        token = Current;
        if (token.Kind != TokenKind.Symbol || token.Text != symbol) return false;
        position++;
        return true;
    }

    private void Expect(string symbol)
    {
        if (!Accept(symbol, out _)) throw Unexpected($"'{symbol}'");
    }

    private Token Take() => Current.Kind == TokenKind.End ? Current with { At = tokens[position++].At } : tokens[position++];

    private CelException Unexpected(string expected)
    {
        var token = tokens[Math.Min(position, tokens.Count - 1)];
        return Fail(token.At, $"Syntax error: mismatched input '{token.Text}' expecting {expected}");
    }

    private CelException Fail(int at, string message) => new(CelError.Format(source, at, message));
}
