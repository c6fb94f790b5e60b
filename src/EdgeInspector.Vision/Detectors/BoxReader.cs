namespace EdgeInspector.Vision.Detectors;

/// <summary>Four numbers, written as <paramref name="form"/> says, as a box in input pixels.</summary>
internal readonly struct BoxReader(BoxForm form, int width, int height)
{
    private readonly bool _isCentred = form is BoxForm.Cxcywh or BoxForm.CxcywhNormalised;
    private readonly bool _isSwapped = form is BoxForm.Yxyx or BoxForm.YxyxNormalised;
    private readonly float _scaleX = IsNormalised(form) ? width : 1;
    private readonly float _scaleY = IsNormalised(form) ? height : 1;

    public Box Read(float a, float b, float c, float d)
    {
        if (_isSwapped)
        {
            (a, b, c, d) = (b, a, d, c);
        }

        if (_isCentred)
        {
            (a, b, c, d) = (a - (c / 2), b - (d / 2), a + (c / 2), b + (d / 2));
        }

        return new Box(a * _scaleX, b * _scaleY, c * _scaleX, d * _scaleY);
    }

    private static bool IsNormalised(BoxForm form) =>
        form is BoxForm.XyxyNormalised or BoxForm.YxyxNormalised or BoxForm.CxcywhNormalised;
}
