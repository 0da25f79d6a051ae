namespace Cairn.Data;

/// <summary>The elements of XML documentation that carry prose.</summary>
internal enum ElementKind
{
    /// <summary>Not one that is read.</summary>
    None,

    /// <summary>What a type or member is for.</summary>
    Summary,

    /// <summary>More about it.</summary>
    Remarks,

    /// <summary>A parameter or type parameter.</summary>
    Parameter,

    /// <summary>What a property holds.</summary>
    Value,

    /// <summary>What a method returns.</summary>
    Returns,

    /// <summary>When it fails.</summary>
    Exception,
}
