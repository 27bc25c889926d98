using CsCheck;
using Trestle.Bridge.Login;

namespace Trestle.Bridge.Tests.Login;

public sealed class KnownHostsTests
{
    private const string Key = "AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g";
    private const string OtherKey = "AAAAC3NzaC1lZDI1NTE5AAAAIP7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+";

    // As ssh-keygen -H writes login.example.org and [login.example.org]:2222.
    private const string Hashed = """
        |1|9lpn/XQkcvZc6VszkSea4VDaI88=|WtxKtNK1dG+TW7/SM4UucrEHMC4= ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g
        |1|bPvZ/Qag8HqT7FSPhlf9dPCKgYI=|XJDk4JrTyBx601M6gpbHZSwty6k= ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g
        """;

    [Theory]
    [InlineData("login.example.org ssh-ed25519 KEY")]
    [InlineData("LOGIN.example.org ssh-ed25519 KEY a comment")]
    [InlineData("a,login.example.org,b\tssh-ed25519\tKEY\r")]
    [InlineData("*.example.org ssh-ed25519 KEY")]
    [InlineData("log?n.example.org,!gate.example.org ssh-ed25519 KEY")]
    [InlineData("# words\n\nlogin.example.org ssh-rsa OTHER\nlogin.example.org ssh-ed25519 KEY")]
    public void A_key_in_a_line_of_its_host_is_known(string text) => Judge(text).ShouldBe(HostKeyVerdict.Known);

    [Theory]
    [InlineData("")]
    [InlineData("example.org ssh-ed25519 KEY")]
    [InlineData("*.example.org,!login.example.org ssh-ed25519 KEY")]
    [InlineData("!gate.example.org ssh-ed25519 KEY")]
    [InlineData("[login.example.org]:2222 ssh-ed25519 KEY")]
    [InlineData("#login.example.org ssh-ed25519 KEY")]
    [InlineData("@cert-authority login.example.org ssh-ed25519 KEY")]
    [InlineData("login.example.org ssh-ed25519")]
    [InlineData("login.example.org ssh-ed25519 not-base64!")]
    [InlineData("|1|AAAA|login ssh-ed25519 KEY")]
    [InlineData("|2|AAAA|AAAA ssh-ed25519 KEY")]
    [InlineData("|1|AAAA ssh-ed25519 KEY")]
    public void A_line_for_others_or_one_that_cannot_be_read_trusts_nobody(string text) => Judge(text).ShouldBe(HostKeyVerdict.Unknown);

    [Theory]
    [InlineData("login.example.org ssh-ed25519 OTHER")]
    [InlineData("login.example.org ssh-rsa AAAA\ngate ssh-ed25519 KEY")]
    public void A_host_that_is_pinned_to_other_keys_has_changed(string text) => Judge(text).ShouldBe(HostKeyVerdict.Changed);

    [Theory]
    [InlineData("@revoked login.example.org ssh-ed25519 KEY\nlogin.example.org ssh-ed25519 KEY")]
    [InlineData("login.example.org ssh-ed25519 KEY\n@revoked * ssh-ed25519 KEY")]
    public void A_revoked_key_is_not_trusted_wherever_it_stands(string text) => Judge(text).ShouldBe(HostKeyVerdict.Revoked);

    [Fact]
    public void The_revocation_of_another_key_changes_nothing() =>
        Judge("@revoked * ssh-ed25519 OTHER\nlogin.example.org ssh-ed25519 KEY").ShouldBe(HostKeyVerdict.Known);

    [Fact]
    public void A_port_other_than_22_stands_in_the_line()
    {
        Judge("[login.example.org]:2222 ssh-ed25519 KEY", 2222).ShouldBe(HostKeyVerdict.Known);
        Judge("[login.example.org]:* ssh-ed25519 KEY", 2222).ShouldBe(HostKeyVerdict.Known);
        Judge("login.example.org ssh-ed25519 KEY", 2222).ShouldBe(HostKeyVerdict.Unknown);
    }

    [Fact]
    public void Hashed_names_are_found()
    {
        Judge(Hashed).ShouldBe(HostKeyVerdict.Known);
        Judge(Hashed, 2222).ShouldBe(HostKeyVerdict.Known);
        Judge(Hashed, 2223).ShouldBe(HostKeyVerdict.Unknown);
    }

    [Fact]
    public void The_types_of_a_host_are_those_of_its_lines() =>
        KnownHosts.Parse($"a ssh-ed25519 {Key}\n*.b,a ssh-rsa {OtherKey}\n@revoked a ecdsa-sha2-nistp256 {Key}\nb ecdsa-sha2-nistp521 {Key}")
            .TypesOf("a", 22).ShouldBe(["ssh-ed25519", "ssh-rsa"], ignoreOrder: true);

    [Fact]
    public void No_text_at_all_makes_a_key_known_that_is_not_in_it() =>
        Gen.String.Array[0, 20].Sample(lines => KnownHosts.Parse(string.Join('\n', lines.Where(line => !line.Contains(Key)))).Judge("login.example.org", 22, Convert.FromBase64String(Key)) != HostKeyVerdict.Known);

    private static HostKeyVerdict Judge(string text, int port = 22) =>
        KnownHosts.Parse(text.Replace("OTHER", OtherKey).Replace("KEY", Key)).Judge("login.example.org", port, Convert.FromBase64String(Key));
}
