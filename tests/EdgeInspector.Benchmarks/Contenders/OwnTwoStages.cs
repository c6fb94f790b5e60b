using EdgeInspector.Benchmarks.Models;
using EdgeInspector.Benchmarks.Rounds;
using EdgeInspector.Vision;
using OpenCvSharp;

namespace EdgeInspector.Benchmarks.Contenders;

/// <summary>A captured frame through the product's station to the last verdict.</summary>
internal sealed class OwnTwoStages : Contender
{
    private readonly ModelPackage _package;
    private readonly OwnStation _station;

    /// <summary>Loads the package and starts the station.</summary>
    public OwnTwoStages(string name, string folder, InferenceOptions options, Mat picture)
        : base(name)
    {
        _package = ModelPackage.Load(folder, options);
        _station = new OwnStation(_package, picture);
    }

    /// <summary>Verdicts that were missing, over all runs.</summary>
    public int Missing { get; private set; }

    /// <inheritdoc/>
    public override double Run()
    {
        var milliseconds = _station.Inspect(out var parts);
        Missing += Math.Abs(Scene.Parts - parts);
        return milliseconds;
    }

    /// <inheritdoc/>
    protected override void Close()
    {
        _station.Dispose();
        _package.Dispose();
    }
}
