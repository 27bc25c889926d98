namespace Trestle.Api.V1Alpha1;

/// <summary>A spec whose processes start in a working directory.</summary>
public interface IHasWorkdir
{
    /// <summary>The working directory; null for none.</summary>
    Workdir? Workdir { get; set; }
}
