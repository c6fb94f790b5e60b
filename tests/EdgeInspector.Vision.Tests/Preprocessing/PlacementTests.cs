using CsCheck;
using EdgeInspector.Vision.Preprocessing;

namespace EdgeInspector.Vision.Tests.Preprocessing;

public sealed class PlacementTests
{
    [Fact]
    public void CentredLetterboxPadsBothSides()
    {
        var placement = Placement.Of(810, 1080, new NetworkInput { Width = 640, Height = 640 });

        Assert.Equal((80, 0, 480, 640), (placement.Left, placement.Top, placement.Width, placement.Height));
        Assert.Equal(new Box(0, 0, 810, 1080), placement.ToPicture(new Box(80, 0, 560, 640)));
    }

    [Fact]
    public void EveryPictureLiesInsideItsInputAndCoversOneDirection() =>
        Gen.Select(Gen.Int[1, 5000], Gen.Int[1, 5000], Gen.Int[8, 900], Gen.Int[8, 900], Gen.Enum<FitMode>()).Sample(
            (width, height, inputWidth, inputHeight, fit) =>
            {
                var placement = Placement.Of(
                    width, height, new NetworkInput { Width = inputWidth, Height = inputHeight, Fit = fit });
                var whole = placement.ToPicture(new Box(
                    placement.Left,
                    placement.Top,
                    placement.Left + placement.Width,
                    placement.Top + placement.Height));
                return placement is { Left: >= 0, Top: >= 0, Width: >= 1, Height: >= 1 }
                    && placement.Left + placement.Width <= inputWidth
                    && placement.Top + placement.Height <= inputHeight
                    && (placement.Width == inputWidth || placement.Height == inputHeight)
                    && Math.Abs(whole.X2 - width) < 0.01 && Math.Abs(whole.Y2 - height) < 0.01;
            });
}
