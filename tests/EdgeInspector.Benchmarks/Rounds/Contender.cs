namespace EdgeInspector.Benchmarks.Rounds;

/// <summary>One way to do a work. Called by one thread; times itself.</summary>
internal abstract class Contender(string name) : IDisposable
{
    /// <summary>As in the tables.</summary>
    public string Name { get; } = name;

    /// <summary>Does the work once and says how many milliseconds it took.</summary>
    public abstract double Run();

    /// <inheritdoc/>
    public void Dispose() => Close();

    /// <summary>Lets go of what it holds.</summary>
    protected virtual void Close() { }
}
