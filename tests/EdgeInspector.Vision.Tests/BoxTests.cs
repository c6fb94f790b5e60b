namespace EdgeInspector.Vision.Tests;

public sealed class BoxTests
{
    [Fact]
    public void SharesOfTwoBoxesAreTheirCommonAreaOverAllOfIt()
    {
        var box = new Box(0, 0, 10, 10);

        Assert.Equal(1, box.IoU(box));
        Assert.Equal(50f / 150, box.IoU(new Box(5, 0, 15, 10)), 1e-6f);
        Assert.Equal(0, box.IoU(new Box(10, 0, 20, 10)));
        Assert.Equal(0, box.IoU(new Box(float.NaN, 0, 20, 10)));
        Assert.Equal(0, new Box(3, 3, 3, 3).IoU(new Box(3, 3, 3, 3)));
    }

    [Fact]
    public void ClippingKeepsWhatLiesInThePicture()
    {
        Assert.Equal(new Box(0, 2, 8, 6), new Box(-3, 2, 12, 9).Clip(8, 6));
        Assert.False(new Box(20, 20, 30, 30).Clip(8, 6).IsSound);
    }

    [Fact]
    public void BoxWithAnEdgeThatIsNoNumberIsNotSound()
    {
        Assert.True(new Box(0, 0, 1, 1).IsSound);
        Assert.False(new Box(0, float.NaN, 1, 1).IsSound);
        Assert.False(new Box(0, 0, float.PositiveInfinity, 1).IsSound);
        Assert.False(new Box(1, 0, 0, 1).IsSound);
    }
}
