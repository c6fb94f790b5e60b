using EdgeInspector.Benchmarks.Rounds;
using EdgeInspector.Vision;
using OpenCvSharp;

namespace EdgeInspector.Benchmarks.Contenders;

/// <summary>The product's classifier: a picture and boxes in, verdicts out.</summary>
internal sealed class OwnClassifier(string name, ModelPackage package, Mat picture, Box[] boxes) : Contender(name)
{
    private readonly Classification[] _results = new Classification[boxes.Length];

    /// <inheritdoc/>
    public override double Run()
    {
        var began = TimeProvider.System.GetTimestamp();
        package.Classifier!.Classify(picture, boxes, _results);
        return TimeProvider.System.GetElapsedTime(began).TotalMilliseconds;
    }
}
