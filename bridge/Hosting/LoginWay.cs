namespace Trestle.Bridge.Hosting;

/// <summary>How commands come to the login node.</summary>
internal enum LoginWay
{
    /// <summary>Over SSH.</summary>
    Ssh,

    /// <summary>The login node is this machine.</summary>
    Local,
}
