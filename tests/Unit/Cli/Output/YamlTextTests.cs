using System.Text.Json.Nodes;
using CsCheck;
using Trestle.Cli.Output;
using YamlDotNet.Serialization;

namespace Trestle.Cli.Tests.Output;

public sealed class YamlTextTests
{
    [Fact]
    public void Reads_as_kubectl_writes_it() =>
        YamlText.Of(JsonNode.Parse("""{"kind":"X","count":3,"flag":true,"none":null,"s":"true","e":{},"l":["a",{"k":"1"}],"run":"echo a\necho b\n"}""")!).ShouldBe(
            """
            kind: X
            count: 3
            flag: true
            none: null
            s: "true"
            e: {}
            l:
            - a
            - k: "1"
            run: |
              echo a
              echo b

            """);

    [Fact]
    public void Any_string_comes_back_as_it_was() =>
        Gen.String[Gen.OneOf(Gen.Char["ab01 :-#'\"\n\t|>{}[],&*!%@`~?\\"], Gen.Char['\u0000', '\u00ff']), 0, 20].Sample(text =>
        {
            var yaml = YamlText.Of(new JsonObject { ["k"] = text });
            new Deserializer().Deserialize<Dictionary<string, string>>(yaml)["k"].ShouldBe(text, yaml);
        });
}
