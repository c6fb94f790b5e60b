using Xunit;

namespace EdgeInspector.Tests.Support;

/// <summary>Tests that look at the whole process run by themselves.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
