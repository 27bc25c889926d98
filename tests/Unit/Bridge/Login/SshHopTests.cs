using System.Net.Sockets;
using Renci.SshNet.Common;
using Trestle.Bridge.Login;

namespace Trestle.Bridge.Tests.Login;

public sealed class SshHopTests
{
    private static readonly ClusterLogin Login = new("alps", "login", 2222, ["gate", "bob@inner:99"], "ada", "SECRET KEY", "SECRET PINS");

    [Theory]
    [InlineData("gate", "ada", "gate", 22)]
    [InlineData("gate:2022", "ada", "gate", 2022)]
    [InlineData("bob@gate", "bob", "gate", 22)]
    [InlineData("bob@site@gate:1", "bob@site", "gate", 1)]
    [InlineData("[2001:db8::1]:2022", "ada", "2001:db8::1", 2022)]
    [InlineData("bob@[2001:db8::1]", "bob", "2001:db8::1", 22)]
    [InlineData("2001:db8::1", "ada", "2001:db8::1", 22)]
    public void A_jump_host_is_read(string text, string user, string host, int port) => SshHop.Parse(text, "ada").ShouldBe(new SshHop(user, host, port));

    [Theory]
    [InlineData("")]
    [InlineData("@gate")]
    [InlineData("gate:")]
    [InlineData("gate:ssh")]
    [InlineData("gate:0")]
    [InlineData("gate:65536")]
    [InlineData("-oProxyCommand=x")]
    [InlineData("ga te")]
    [InlineData("[2001:db8::1")]
    [InlineData("[2001:db8::1]22")]
    public void What_is_none_is_refused_by_name(string text) => Should.Throw<FormatException>(() => SshHop.Parse(text, "ada")).Message.ShouldContain($"'{text}'");

    [Fact]
    public void The_way_ends_at_the_login_node() =>
        SshHop.Of(Login).ShouldBe([new SshHop("ada", "gate", 22), new SshHop("bob", "inner", 99), new SshHop("ada", "login", 2222)]);

    [Fact]
    public void Logins_are_equal_by_what_they_hold_and_never_show_their_secrets()
    {
        Login.ShouldBe(Login with { JumpHosts = ["gate", "bob@inner:99"] });
        Login.GetHashCode().ShouldBe((Login with { JumpHosts = ["gate", "bob@inner:99"] }).GetHashCode());
        Login.ShouldNotBe(Login with { JumpHosts = ["bob@inner:99", "gate"] });
        Login.ShouldNotBe(Login with { PrivateKey = "" });
        Login.ToString().ShouldBe("ada@login:2222 (alps)");
    }

    [Fact]
    public void Every_failure_says_where_and_repeats_no_word_of_the_host()
    {
        var hop = new SshHop("ada", "login", 2222);
        Exception[] causes = [new SocketException((int)SocketError.HostNotFound), new SocketException((int)SocketError.ConnectionRefused), new SocketException((int)SocketError.NetworkUnreachable),
            new SshOperationTimeoutException("HOSTILE"), new SshAuthenticationException("HOSTILE"), new SshConnectionException("HOSTILE"), new SshException("HOSTILE")];
        var messages = causes.Select(cause => SshFailure.Of(hop, cause).Message).ToList();
        messages.ShouldAllBe(message => message.Contains("login") && !message.Contains("HOSTILE"));
        messages.Distinct().Count().ShouldBe(causes.Length);
    }
}
